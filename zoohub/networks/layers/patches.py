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
    """Windows' values (B, C, kernel², h, w) added up where they lie: (B, C, height, width)."""
    total = None
    for down in range(kernel):
        for across in range(kernel):
            part = _spread(x[:, :, down * kernel + across], stride)
            part = _place(_place(part, down - padding, height, 2), across - padding, width, 3)
            total = part if total is None else total + part
    return total


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


def _place(x: Tensor, shift: int, size: int, axis: int) -> Tensor:
    """`x` moved by `shift` along an axis (2 or 3) that becomes `size` long; zeros come in."""
    before = max(shift, 0)
    after = max(size - shift - x.shape[axis], 0)
    if before or after:
        x = ops.pad(x, (0, 0, before, after) if axis == 2 else (before, after))
    first = max(-shift, 0)
    return x[:, :, first : first + size] if axis == 2 else x[:, :, :, first : first + size]
