"""Layers that route feature maps between the levels of a pyramid."""

from __future__ import annotations

from mindspore import Tensor, nn, ops


class Concat(nn.Cell):
    """Several (B, C_i, H, W), given as one tuple -> (B, sum of C_i, H, W)."""

    def construct(self, maps: tuple[Tensor, ...]) -> Tensor:
        return ops.concat(maps, 1)


class Upsample2x(nn.Cell):
    """(B, C, H, W) -> (B, C, 2H, 2W), every pixel four times.

    `DepthToSpace` over four copies: unlike a resize to a computed size it exports with unknown
    heights and widths.
    """

    def __init__(self) -> None:
        super().__init__()
        self.spread = ops.DepthToSpace(2)

    def construct(self, x: Tensor) -> Tensor:
        return self.spread(ops.concat((x, x, x, x), 1))
