"""Convolutions that choose, for every pixel, where their kernel looks.

Source: Zhu et al., "Deformable ConvNets v2" (2018), in the form of the MindSpore models repository
(research/cv/faster_rcnn_dcn), whose parameter names these are.
"""

from __future__ import annotations

import numpy as np
from mindspore import Tensor, nn, ops
from mindspore import dtype as mstype

from zoohub.networks.layers.conv import conv2d, new_conv2d

_TAPS = 9


class DeformableConv(nn.Cell):
    """3×3: (B, in_channels, H, W) -> (B, out_channels, H / stride, W / stride).

    For every pixel and each of the kernel's nine places, `p_conv` says by how many rows and columns
    it looks elsewhere, and `m_conv` how much that counts. A place between pixels is interpolated,
    one outside of the map takes the border's pixel. The publisher forgot his padding, and the
    files are trained so: without offsets the kernel is centred one row and column further than a
    padded convolution's.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1) -> None:
        super().__init__()
        self.stride = stride
        # Over the nine samples of a pixel, which lie side by side.
        self.conv = new_conv2d(in_channels, out_channels, 3, 3, pad_mode="valid")
        self.p_conv = conv2d(in_channels, 2 * _TAPS, 3, stride)
        self.m_conv = conv2d(in_channels, _TAPS, 3, stride)
        rows, columns = np.divmod(np.arange(_TAPS, dtype=np.float32), 3)
        self.rows = Tensor(rows.reshape(1, _TAPS, 1, 1))
        self.columns = Tensor(columns.reshape(1, _TAPS, 1, 1))

    def construct(self, x: Tensor) -> Tensor:
        batch, channels, height, width = x.shape
        offsets = self.p_conv(x)
        weights = ops.sigmoid(self.m_conv(x))
        high, wide = offsets.shape[2:]
        down = ops.arange(high).astype(mstype.float32) * self.stride
        across = ops.arange(wide).astype(mstype.float32) * self.stride
        rows = offsets[:, :_TAPS] + (self.rows + ops.reshape(down, (1, 1, -1, 1)))
        columns = offsets[:, _TAPS:] + (self.columns + ops.reshape(across, (1, 1, 1, -1)))
        above, below, v = self.neighbours(rows, height)
        left, right, u = self.neighbours(columns, width)

        pixels = ops.reshape(x, (batch, channels, -1))
        sampled = (
            self.taken(pixels, above * width + left) * ops.expand_dims((1 - v) * (1 - u), 1)
            + self.taken(pixels, below * width + right) * ops.expand_dims(v * u, 1)
            + self.taken(pixels, below * width + left) * ops.expand_dims(v * (1 - u), 1)
            + self.taken(pixels, above * width + right) * ops.expand_dims((1 - v) * u, 1)
        ) * ops.expand_dims(weights, 1)
        # (B, C, 9, H, W) -> (B, C, 3 H, 3 W)
        sampled = ops.reshape(sampled, (batch, channels, 3, 3, high, wide))
        sampled = ops.transpose(sampled, (0, 1, 4, 2, 5, 3))
        return self.conv(ops.reshape(sampled, (batch, channels, 3 * high, 3 * wide)))

    def neighbours(self, places: Tensor, size: int) -> tuple[Tensor, Tensor, Tensor]:
        """The pixels before and after a place, and how far it is from the first: 0 to 1."""
        low = ops.floor(places)
        last = size - 1
        first = ops.clamp(low, 0, last)
        return (
            first.astype(mstype.int32),
            ops.clamp(low + 1, 0, last).astype(mstype.int32),
            ops.clamp(places, 0, last) - first,
        )

    def taken(self, pixels: Tensor, places: Tensor) -> Tensor:
        """The pixels (B, C, P) at `places` (B, 9, H, W): (B, C, 9, H, W)."""
        batch, channels, _ = pixels.shape
        flat = ops.reshape(places, (batch, 1, -1))
        found = ops.gather_elements(pixels, 2, ops.tile(flat, (1, channels, 1)))
        return ops.reshape(found, (batch, channels, *places.shape[1:]))
