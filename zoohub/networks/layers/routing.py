"""Layers that route feature maps between the levels of a pyramid."""

from __future__ import annotations

import numpy as np
from mindspore import Tensor, ops

from zoohub.networks.layers.cell import Cell
from zoohub.networks.layers.crop import crop


class Concat(Cell):
    """Several (B, C_i, H, W), given as one tuple -> (B, sum of C_i, H, W)."""

    def construct(self, maps: tuple[Tensor, ...]) -> Tensor:
        return ops.concat(maps, 1)


class CutConcat(Cell):
    """(B, C, H', W') and (B, D, H, W), given as one tuple -> (B, C + D, H, W).

    The first map may be larger, at the bottom and the right; what is too much is cut off. A map
    made by halving an odd side, rounded up, and then doubling has one row too many: without it
    the map is the same as one enlarged to the odd side by nearest neighbour.
    """

    def construct(self, maps: tuple[Tensor, Tensor]) -> Tensor:
        larger, other = maps
        _, _, height, width = other.shape
        return ops.concat((crop(larger, 0, 0, height, width), other), 1)


class Upsample2x(Cell):
    """(B, C, H, W) -> (B, C, 2H, 2W), every pixel four times.

    `DepthToSpace` over four copies: unlike a resize to a computed size it exports with unknown
    heights and widths.
    """

    def __init__(self) -> None:
        super().__init__()
        self.spread = ops.DepthToSpace(2)

    def construct(self, x: Tensor) -> Tensor:
        return self.spread(ops.concat((x, x, x, x), 1))


class ChannelShuffle(Cell):
    """(B, C, H, W) -> the same shape: every `step`-th channel, from the first, second, … on.

    Gathered by a constant order rather than reshaped, so that ONNX export needs no heights and
    widths.
    """

    def __init__(self, channels: int, step: int) -> None:
        super().__init__()
        self.order = Tensor(np.arange(channels, dtype=np.int32).reshape(-1, step).T.reshape(-1))

    def construct(self, x: Tensor) -> Tensor:
        return ops.gather(x, self.order, 1)
