"""Cells that the publisher of a network left out of training."""

from __future__ import annotations

from mindspore import nn
from mindspore.common.initializer import initializer

_FROZEN = 0.01


def freeze(cell: nn.Cell) -> None:
    """Leave a cell out of training, as the publisher does; it starts from a file's weights, and
    from his constant without one."""
    for parameter in cell.get_parameters():
        parameter.requires_grad = False
        if parameter.ndim == 4:
            parameter.set_data(initializer(_FROZEN, parameter.shape, parameter.dtype))
