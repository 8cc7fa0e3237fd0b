"""SVTR: a line of text, read by attention among its patches, as MindOCR publishes it.

Source: Du et al., "SVTR: Scene Text Recognition with a Single Visual Model" (2022). Parameter names
are those of MindOCR.
"""

from __future__ import annotations

import numpy as np
from mindspore import Parameter, Tensor, nn, ops
from mindspore.common.initializer import initializer

from zoohub.networks.crnn.network import Head
from zoohub.networks.layers.activations import HardSwish, gelu
from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.drop_path import DropPath, drop_path_rates
from zoohub.networks.layers.mlp import Mlp
from zoohub.networks.layers.norm import BatchNorm2d
from zoohub.networks.layers.sized import SizedNetwork
from zoohub.networks.picture_sizes import ANY
from zoohub.networks.svtr.family import HEIGHT, WIDTH
from zoohub.networks.svtr.straighten import Straighten

_WIDTHS = (64, 128, 256)
_DEPTHS = (3, 6, 3)
_HEADS = (2, 4, 8)
_LOCAL_BLOCKS = 6  # the first ones see their neighbourhood alone
_NEIGHBOURHOOD = (7, 11)  # patches, in height and width
_EPS = 1e-6
_SUB_EPS = 1e-7  # MindSpore's own
_STRAIGHT_WIDTH = 100


def neighbours(high: int, wide: int) -> Tensor:
    """(1, 1, N, N) over N = high · wide patches: 0 where one sees the other, minus infinity."""
    y, x = np.divmod(np.arange(high * wide), wide)
    near = np.abs(y[:, None] - y) <= _NEIGHBOURHOOD[0] // 2
    near &= np.abs(x[:, None] - x) <= _NEIGHBOURHOOD[1] // 2
    return Tensor(np.where(near, 0, -np.inf).astype(np.float32)[None, None])


class Attention(nn.Cell):
    """(B, N, width) -> the same shape; `mask` is added to what patches think of each other."""

    def __init__(self, width: int, heads: int, mask: Tensor | None, dropout: float = 0.0) -> None:
        super().__init__()
        self.qkv = nn.Dense(width, 3 * width)
        self.proj = nn.Dense(width, width)
        self.drop = nn.Dropout(p=dropout)
        self.heads, self.size = heads, width // heads
        self.mask = mask

    def construct(self, x: Tensor) -> Tensor:
        _, count, width = x.shape
        parts = ops.reshape(self.qkv(x), (-1, count, 3, self.heads, self.size))
        parts = ops.transpose(parts, (2, 0, 3, 1, 4))
        query, key, value = parts[0] * self.size**-0.5, parts[1], parts[2]
        seen = ops.matmul(query, ops.transpose(key, (0, 1, 3, 2)))
        if self.mask is not None:
            seen = seen + self.mask
        mixed = ops.matmul(self.drop(ops.softmax(seen, -1)), value)
        mixed = ops.reshape(ops.transpose(mixed, (0, 2, 1, 3)), (-1, count, width))
        return self.drop(self.proj(mixed))


class Block(nn.Cell):
    """Attention and two dense layers, each of its input normalised, and added to it."""

    def __init__(
        self,
        attention: Attention,
        mlp: Mlp,
        width: int,
        eps: float = _EPS,
        drop_path: float = 0.0,
    ) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm((width,), epsilon=eps)
        self.mixer = attention
        self.norm2 = nn.LayerNorm((width,), epsilon=eps)
        self.mlp = mlp
        self.drop_path = DropPath(drop_path)

    def construct(self, x: Tensor) -> Tensor:
        x = x + self.drop_path(self.mixer(self.norm1(x)))
        return x + self.drop_path(self.mlp(self.norm2(x)))


class Patch(nn.Cell):
    """A 3×3 convolution of stride 2, batch norm, GELU."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv = conv2d(in_channels, out_channels, 3, 2)
        self.norm = BatchNorm2d(out_channels)
        self.act = gelu(exact=False)

    def construct(self, x: Tensor) -> Tensor:
        return self.act(self.norm(self.conv(x)))


class Patches(nn.Cell):
    """(B, in_channels, H, W) -> (B, H · W / 16, width)."""

    def __init__(self, in_channels: int, width: int) -> None:
        super().__init__()
        self.proj = nn.SequentialCell([Patch(in_channels, width // 2), Patch(width // 2, width)])

    def construct(self, x: Tensor) -> Tensor:
        return as_rows(self.proj(x))


def as_rows(x: Tensor) -> Tensor:
    """(B, C, H, W) -> (B, H · W, C)."""
    _, channels, high, wide = x.shape
    return ops.transpose(ops.reshape(x, (-1, channels, high * wide)), (0, 2, 1))


class Halve(nn.Cell):
    """Patches of `high` rows -> half as many rows, wider: a 3×3 convolution and a layer norm."""

    def __init__(self, in_channels: int, out_channels: int, high: int, wide: int) -> None:
        super().__init__()
        self.conv = conv2d(in_channels, out_channels, 3, (2, 1))
        self.norm = nn.LayerNorm((out_channels,), epsilon=_SUB_EPS)
        self.shape = (-1, in_channels, high, wide)

    def construct(self, x: Tensor) -> Tensor:
        x = ops.reshape(ops.transpose(x, (0, 2, 1)), self.shape)
        return self.norm(as_rows(self.conv(x)))


class Backbone(nn.Cell):
    """(B, in_channels, 32, width) -> columns (width / 4, B, channels)."""

    def __init__(self, in_channels: int, width: int, channels: int, drop_path: float) -> None:
        super().__init__()
        high, wide = HEIGHT // 4, width // 4
        self.pos_embed = Parameter(
            initializer("zeros", (1, high * wide, _WIDTHS[0])), name="pos_embed"
        )
        self.patch_embed = Patches(in_channels, _WIDTHS[0])
        rates = iter(drop_path_rates(drop_path, sum(_DEPTHS)))
        done = 0
        for stage, (own, depth, heads) in enumerate(zip(_WIDTHS, _DEPTHS, _HEADS, strict=True)):
            local = neighbours(high, wide)
            blocks = []
            for _ in range(depth):
                mask = local if done < _LOCAL_BLOCKS else None
                attention, mlp = Attention(own, heads, mask), Mlp(own, 4 * own)
                blocks.append(Block(attention, mlp, own, drop_path=next(rates)))
                done += 1
            setattr(self, f"blocks{stage + 1}", nn.SequentialCell(blocks))
            if stage < len(_WIDTHS) - 1:
                halve = Halve(own, _WIDTHS[stage + 1], high, wide)
                setattr(self, f"sub_sample{stage + 1}", halve)
                high //= 2
        self.last_conv = conv2d(_WIDTHS[-1], channels, 1)
        self.norm = nn.LayerNorm((_WIDTHS[-1],), epsilon=_EPS)
        self.act = HardSwish()
        self.dropout = nn.Dropout(p=0.1)
        self.shape = (-1, _WIDTHS[-1], high, wide)

    def construct(self, x: Tensor) -> Tensor:
        x = self.blocks1(self.patch_embed(x) + self.pos_embed)
        x = self.blocks2(self.sub_sample1(x))
        x = self.norm(self.blocks3(self.sub_sample2(x)))
        x = ops.reshape(ops.transpose(x, (0, 2, 1)), self.shape)
        x = self.dropout(self.act(self.last_conv(ops.mean(x, 2, True))))
        return ops.transpose(ops.squeeze(x, 2), (2, 0, 1))


class SVTR(SizedNetwork):
    """See `svtr`."""

    def __init__(
        self,
        straighten: bool,
        in_channels: int,
        width: int,
        channels: int,
        num_classes: int,
        drop_path: float,
    ) -> None:
        super().__init__("svtr", ANY if straighten else (HEIGHT, width))
        self.transform = Straighten(in_channels) if straighten else nn.Identity()
        self.backbone = Backbone(in_channels, width, channels, drop_path)
        self.head = Head(channels, num_classes)

    def construct(self, x: Tensor) -> Tensor:
        return self.head(self.backbone(self.transform(x)))


def svtr(
    num_classes: int = 37,
    straighten: bool = True,
    width: int = WIDTH,
    channels: int = 192,
    drop_path: float = 0.1,
    in_channels: int = 3,
) -> SVTR:
    """SVTR-Tiny: float32 (B, in_channels, H, W) -> probabilities (B, steps, num_classes).

    With `straighten` pictures of 64×256 pixels are expected, and straightened to 32×100, of 25
    steps; without it pictures are 32×`width`, of a step for every four columns. The blank of
    connectionist temporal classification is a class. In training mode logits (steps, B,
    num_classes).

    Args:
        num_classes: characters, and the blank.
        straighten: straighten the line first.
        width: of the picture, without `straighten`.
        channels: that a step is read from.
        drop_path: share of blocks left out in training, in the last of them.
        in_channels: channels of the picture.
    """
    read = _STRAIGHT_WIDTH if straighten else width
    return SVTR(straighten, in_channels, read, channels, num_classes, drop_path)
