"""Overlapping patches of a map, by slices and sums: they run and export on every device."""

from __future__ import annotations

from mindspore import Tensor, ops

from zoohub.networks.layers.crop import crop


def unfold(x: Tensor, kernel: int, stride: int, padding: int) -> Tensor:
    """(B, C, H, W) -> the windows' values (B, kernel², C, h, w), the map padded with zeros.

    The channel is the innermost but for the place, as in MindSpore's `nn.Unfold`; PyTorch's has
    the window's places within the channel.
    """
    rows = (x.shape[2] + 2 * padding - kernel) // stride + 1
    columns = (x.shape[3] + 2 * padding - kernel) // stride + 1
    channels = x.shape[1]
    x = _phases(x, stride, padding)
    parts: tuple[Tensor, ...] = ()
    for down in range(kernel):
        for across in range(kernel):
            first = (down % stride * stride + across % stride) * channels
            part = x if stride == 1 else x[:, first : first + channels]
            parts = (*parts, crop(part, down // stride, across // stride, rows, columns))
    return ops.stack(parts, 1)


def _phases(x: Tensor, stride: int, padding: int) -> Tensor:
    """(B, C, H, W) -> (B, stride²·C, H / stride, W / stride): every `stride`-th row and column of
    the map padded with zeros, from the first, second, … on.

    What follows slices by steps of one: MindSpore's CPU kernel for the gradient of slices by larger
    steps writes beyond its memory (2.10).
    """
    after = padding + stride - 1
    x = ops.pad(x, (padding, after, padding, after))
    if stride == 1:
        return x
    channels, rows, columns = x.shape[1], x.shape[2] // stride, x.shape[3] // stride
    x = crop(x, 0, 0, rows * stride, columns * stride)
    x = ops.reshape(x, (-1, channels, rows, stride, columns, stride))
    x = ops.transpose(x, (0, 3, 5, 1, 2, 4))
    return ops.reshape(x, (-1, stride * stride * channels, rows, columns))


def fold(x: Tensor, kernel: int, stride: int, padding: int, height: int, width: int) -> Tensor:
    """Windows' values (B, C, kernel², h, w) added up where they lie: (B, C, height, width).

    Each place of the windows is laid over the padded map by a shift that is known beforehand, so
    that a batch of any size can be exported and gradients are those of padding and slicing.
    """
    places = ops.unstack(x, 2)
    total = _laid(places[0], kernel, stride, 0)
    for place in range(1, kernel * kernel):
        total = total + _laid(places[place], kernel, stride, place)
    return crop(total, padding, padding, height, width)


def _laid(x: Tensor, kernel: int, stride: int, place: int) -> Tensor:
    """One place of all windows on the padded map: (B, C, h·stride + kernel - 1, …)."""
    down, across = place // kernel, place % kernel
    margins = (across, kernel - 1 - across, down, kernel - 1 - down)
    return ops.pad(_spread(x, stride), margins)


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
