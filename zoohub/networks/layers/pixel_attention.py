"""Attention of every pixel to all others, in YOLOv10 and YOLOv11.

Source: Wang et al., "YOLOv10" (2024); parameter names are those of mindyolo's checkpoints.
"""

from __future__ import annotations

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.conv import ConvNormAct

_HEAD_CHANNELS = 64


class PixelAttention(nn.Cell):
    """Self-attention over the H·W pixels, keys half as wide as values: (B, C, H, W) -> the same.

    A 3×3 convolution of the values stands for the pixels' positions.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.heads = channels // _HEAD_CHANNELS
        self.value = channels // self.heads
        self.key = self.value // 2
        self.scale = self.key**-0.5
        joint = channels + 2 * self.key * self.heads
        self.qkv = ConvNormAct(channels, joint, act=None)
        self.proj = ConvNormAct(channels, channels, act=None)
        self.pe = ConvNormAct(channels, channels, 3, groups=channels, act=None)

    def construct(self, x: Tensor) -> Tensor:
        _, channels, height, width = x.shape
        joint = ops.reshape(
            self.qkv(x), (-1, self.heads, 2 * self.key + self.value, height * width)
        )
        query, key = joint[:, :, : self.key], joint[:, :, self.key : 2 * self.key]
        value = joint[:, :, 2 * self.key :]
        shares = ops.softmax(ops.matmul(ops.transpose(query, (0, 1, 3, 2)), key) * self.scale, -1)
        seen = ops.matmul(value, ops.transpose(shares, (0, 1, 3, 2)))
        shape = (-1, channels, height, width)
        return self.proj(ops.reshape(seen, shape) + self.pe(ops.reshape(value, shape)))


def _feed_forward(channels: int) -> nn.SequentialCell:
    return nn.SequentialCell(
        [ConvNormAct(channels, 2 * channels), ConvNormAct(2 * channels, channels, act=None)]
    )


class AttentionBlock(nn.Cell):
    """Attention, then two 1×1 convolutions, each added to its input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.attn = PixelAttention(channels)
        self.ffn = _feed_forward(channels)

    def construct(self, x: Tensor) -> Tensor:
        x = x + self.attn(x)
        return x + self.ffn(x)


class PSA(nn.Cell):
    """Half of the channels pass, the other half goes through one attention block.

    (B, in_channels, H, W) -> (B, out_channels, H, W); the two are equal in all tables.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.hidden = in_channels // 2
        self.cv1 = ConvNormAct(in_channels, 2 * self.hidden)
        self.cv2 = ConvNormAct(2 * self.hidden, out_channels)
        self.attn = PixelAttention(self.hidden)
        self.ffn = _feed_forward(self.hidden)

    def construct(self, x: Tensor) -> Tensor:
        parts = ops.split(self.cv1(x), self.hidden, 1)
        seen = parts[1] + self.attn(parts[1])
        return self.cv2(ops.concat((parts[0], seen + self.ffn(seen)), 1))


class C2PSA(nn.Cell):
    """Half of the channels pass, the other half goes through `repeats` attention blocks."""

    def __init__(self, in_channels: int, out_channels: int, repeats: int = 1) -> None:
        super().__init__()
        self.hidden = in_channels // 2
        self.cv1 = ConvNormAct(in_channels, 2 * self.hidden)
        self.cv2 = ConvNormAct(2 * self.hidden, out_channels)
        self.m = nn.SequentialCell([AttentionBlock(self.hidden) for _ in range(repeats)])

    def construct(self, x: Tensor) -> Tensor:
        parts = ops.split(self.cv1(x), self.hidden, 1)
        return self.cv2(ops.concat((parts[0], self.m(parts[1])), 1))
