"""Detectors in training: their raw maps as the one tensor that a loss takes."""

from __future__ import annotations

from typing import Any

from mindspore import Tensor, nn, ops


class FlatMaps(nn.Cell):
    """A detector whose raw maps come as one tensor (B, all cells' anchors, 5 + classes).

    Its maps hold a box's values last, whatever is before. In evaluation mode it returns what the
    detector returns.
    """

    def __init__(self, net: nn.Cell) -> None:
        super().__init__(auto_prefix=False)
        self.net = net

    def construct(self, images: Tensor) -> Any:
        """See the class."""
        outputs = self.net(images)
        if not self.training:
            return outputs
        flat: tuple[Tensor, ...] = ()
        for raw in outputs:
            flat = (*flat, ops.reshape(raw, (raw.shape[0], -1, raw.shape[-1])))
        return ops.concat(flat, 1)


class FlatChannels(nn.Cell):
    """The same of a detector whose maps are (B, values, H, W): (B, all cells, values).

    With `branches` above 1 it gives as many tuples of maps: their cells follow one another.
    """

    def __init__(self, net: nn.Cell, branches: int = 1) -> None:
        super().__init__(auto_prefix=False)
        self.net, self.branches = net, branches

    def construct(self, images: Tensor) -> object:
        """See the class."""
        outputs = self.net(images)
        if not self.training:
            return outputs
        flat: tuple[Tensor, ...] = ()
        for maps in (outputs,) if self.branches == 1 else outputs:
            flat = (*flat, flat_channels(maps))
        return ops.concat(flat, 1)


def flat_channels(maps: tuple[Tensor, ...]) -> Tensor:
    """Maps (B, values, H, W), one a level -> (B, all cells, values)."""
    flat: tuple[Tensor, ...] = ()
    for raw in maps:
        rows = ops.reshape(raw, (raw.shape[0], raw.shape[1], -1))
        flat = (*flat, ops.transpose(rows, (0, 2, 1)))
    return ops.concat(flat, 1)
