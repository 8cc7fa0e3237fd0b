"""Branches of an MLP network, weighed against one another."""

from __future__ import annotations

from mindspore import Tensor, nn, ops


def mix_branches(first: Tensor, second: Tensor, third: Tensor, reweight: nn.Cell) -> Tensor:
    """Three maps (B, C, H, W) added, each channel with weights that sum to 1.

    `reweight` makes them of the channels' means: (B, C, 1, 1) -> (B, 3 C, 1, 1), the three of a
    channel together.
    """
    channels = first.shape[1]
    weights = reweight(ops.mean(first + second + third, (2, 3), True))
    weights = ops.softmax(ops.reshape(weights, (-1, channels, 3, 1, 1)), 2)
    return first * weights[:, :, 0] + second * weights[:, :, 1] + third * weights[:, :, 2]
