"""Overlapping patches of a map, by slices and sums: they run and export on every device."""

from __future__ import annotations

from mindspore import Tensor, ops


def unfold(x: Tensor, kernel: int, stride: int, padding: int) -> Tensor:
    """(B, C, H, W) -> the windows' values (B, kernel², C, h, w), the map padded with zeros.

    The channel is the innermost but for the place, as in MindSpore's `nn.Unfold`; PyTorch's has
    the window's places within the channel.
    """
    x = ops.pad(x, (padding, padding, padding, padding))
    rows, columns = _count(x.shape[2], kernel, stride), _count(x.shape[3], kernel, stride)
    parts: tuple[Tensor, ...] = ()
    for down in range(kernel):
        for across in range(kernel):
            part = x[
                :,
                :,
                down : down + stride * (rows - 1) + 1 : stride,
                across : across + stride * (columns - 1) + 1 : stride,
            ]
            parts = (*parts, part)
    return ops.stack(parts, 1)


def fold(x: Tensor, kernel: int, stride: int, padding: int, height: int, width: int) -> Tensor:
    """Windows' values (B, C, kernel², h, w) added up where they lie: (B, C, height, width).

    Each place of the windows is laid over the padded map by a shift that is known beforehand, so
    that a batch of any size can be exported and gradients are those of padding and slicing.
    """
    total = _laid(x, kernel, stride, 0)
    for place in range(1, kernel * kernel):
        total = total + _laid(x, kernel, stride, place)
    return total[:, :, padding : padding + height, padding : padding + width]


def _laid(x: Tensor, kernel: int, stride: int, place: int) -> Tensor:
    """One place of all windows on the padded map: (B, C, h·stride + kernel - 1, …)."""
    down, across = place // kernel, place % kernel
    margins = (across, kernel - 1 - across, down, kernel - 1 - down)
    return ops.pad(_spread(x[:, :, place], stride), margins)


def _count(size: int, kernel: int, stride: int) -> int:
    return (size - kernel) // stride + 1


def _spread(x: Tensor, stride: int) -> Tensor:
    """(B, C, h, w) -> (B, C, h·stride, w·stride), zeros between the values."""
    if stride == 1:
        return x
    _, channels, rows, columns = x.shape
    x = ops.reshape(x, (-1, channels, rows, 1, columns, 1))
    zeros = ops.zeros_like(x)
    x = ops.concat((x, *(zeros,) * (stride - 1)), 5)
    zeros = ops.zeros_like(x)
    x = ops.concat((x, *(zeros,) * (stride - 1)), 3)
    return ops.reshape(x, (-1, channels, rows * stride, columns * stride))
