"""Stochastic depth."""

from __future__ import annotations

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.cell import Cell


class DropPath(Cell):
    """In training, a share `p` of the samples becomes zero and the others are divided by 1 - p.

    (B, …) -> the same shape. In evaluation mode the input itself.

    Source: Huang et al., "Deep Networks with Stochastic Depth" (2016).
    """

    def __init__(self, p: float = 0.0) -> None:
        super().__init__()
        self.p = p
        self.dropout = nn.Dropout(p=p)

    def construct(self, x: Tensor) -> Tensor:
        if self.p == 0.0 or not self.training:
            return x
        return x * self.dropout(ops.ones((x.shape[0],) + (1,) * (x.ndim - 1), x.dtype))


def drop_path_rates(last: float, depth: int) -> tuple[float, ...]:
    """The share of each of `depth` blocks: from 0 up to `last` in equal steps.

    >>> drop_path_rates(0.5, 3)
    (0.0, 0.25, 0.5)
    """
    return tuple(last * block / max(1, depth - 1) for block in range(depth))
