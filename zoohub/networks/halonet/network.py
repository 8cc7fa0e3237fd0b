"""HaloNet.

Source: Vaswani et al., "Scaling Local Self-Attention for Parameter Efficient Visual Backbones"
(2021). Parameter names and the order of patches' values are those of mindcv. There is no
reference output: the operator that mindcv takes patches with has no kernel on the CPU.
"""

from __future__ import annotations

from collections.abc import Sequence

from mindspore import Parameter, Tensor, nn, ops
from mindspore.common.initializer import TruncatedNormal, initializer

from zoohub.networks.layers.attention import scores, weighted_sum
from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.dense import dense
from zoohub.networks.layers.features import FeatureMap, check_out_indices
from zoohub.networks.layers.norm import BatchNorm2d
from zoohub.networks.layers.patches import unfold
from zoohub.networks.layers.pooling import GlobalAvgPool, ZeroPadMaxPool

_STEM = (24, 32, 64)


class ConvBnAct(nn.Cell):
    """Convolution, batch norm and, unless left out, SiLU."""

    def __init__(
        self, in_channels: int, out_channels: int, kernel: int, stride: int = 1, act: bool = True
    ) -> None:
        super().__init__()
        self.conv = conv2d(in_channels, out_channels, kernel, stride)
        self.bn = BatchNorm2d(out_channels)
        self.acts = act

    def construct(self, x: Tensor) -> Tensor:
        x = self.bn(self.conv(x))
        return ops.silu(x) if self.acts else x


class NormAct(nn.Cell):
    """Batch norm and SiLU."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.bn = BatchNorm2d(channels)

    def construct(self, x: Tensor) -> Tensor:
        return ops.silu(self.bn(x))


class Stem(nn.Cell):
    """(B, in_channels, H, W) -> (B, 64, H / 4, W / 4)."""

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        first, second, third = _STEM
        self.conv1 = ConvBnAct(in_channels, first, 3, 2)
        self.conv2 = ConvBnAct(first, second, 3)
        self.conv3 = ConvBnAct(second, third, 3)
        self.pool = ZeroPadMaxPool()

    def construct(self, x: Tensor) -> Tensor:
        return self.pool(self.conv3(self.conv2(self.conv1(x))))


class RelativePositions(nn.Cell):
    """Scores by distance: queries (N, block, block, D) -> (N, block, block, window, window)."""

    def __init__(self, block: int, window: int, width: int) -> None:
        super().__init__()
        self.block, self.window = block, window
        shape = (2 * window - 1, width)
        self.rel_height = Parameter(initializer(TruncatedNormal(0.02), shape))
        self.rel_width = Parameter(initializer(TruncatedNormal(0.02), shape))

    def construct(self, q: Tensor) -> Tensor:
        across = ops.expand_dims(self.along(q, self.rel_width), 3)
        down = self.along(ops.transpose(q, (0, 2, 1, 3)), self.rel_height)
        return across + ops.expand_dims(ops.transpose(down, (0, 2, 1, 3)), 4)

    def along(self, q: Tensor, table: Tensor) -> Tensor:
        """(N, rows, block, D) -> (N, rows, block, window): scores with the window's line."""
        x = ops.matmul(q, ops.transpose(table, (1, 0)))
        rows = ops.unstack(x, 2)
        lines: tuple[Tensor, ...] = ()
        for place in range(self.block):
            first = self.window - 1 - place  # of the distances from here to the window's line
            lines = (*lines, rows[place][:, :, first : first + self.window])
        return ops.stack(lines, 2)


class HaloAttention(nn.Cell):
    """Blocks of places attend to themselves and a halo around: (B, C, H, W) -> the same shape."""

    def __init__(self, channels: int, num_heads: int, block: int, halo: int) -> None:
        super().__init__()
        self.num_heads, self.block, self.halo = num_heads, block, halo
        self.width = channels // num_heads
        self.window = block + 2 * halo
        self.scale = self.width**-0.5
        self.q = conv2d(channels, channels, 1)
        self.kv = conv2d(channels, 2 * channels, 1)
        self.pos_embed = RelativePositions(block, self.window, self.width)

    def construct(self, x: Tensor) -> Tensor:
        _, channels, height, width = x.shape
        block, inner = self.block, self.width
        rows, columns = height // block, width // block
        q = ops.reshape(self.q(x), (-1, inner, rows, block, columns, block))
        q = ops.transpose(q, (0, 2, 4, 3, 5, 1))  # B · heads, rows, columns, block, block, D
        positions = self.pos_embed(ops.reshape(q, (-1, block, block, inner)))
        q = ops.reshape(q, (-1, rows * columns, block * block, inner))
        kv = unfold(self.kv(x), self.window, block, self.halo)
        # Windows come channel by channel for each place, and are read as places for each channel
        # of each head: the published weights have learnt to live with it.
        places = self.window * self.window
        kv = ops.reshape(kv, (-1, 2 * inner, places, rows * columns))
        k, v = ops.split(ops.transpose(kv, (0, 3, 2, 1)), inner, -1)
        attention = scores(q, k) * self.scale + ops.reshape(
            positions, (-1, rows * columns, block * block, places)
        )
        out = weighted_sum(ops.softmax(attention, -1), v)
        out = ops.reshape(out, (-1, rows, columns, block, block, inner))
        out = ops.transpose(out, (0, 5, 1, 3, 2, 4))
        return ops.reshape(out, (-1, channels, height, width))


class BottleneckBlock(nn.Cell):
    """1×1, 3×3, 1×1: (B, in_channels, H, W) -> (B, channels, H / stride, W / stride)."""

    def __init__(self, in_channels: int, channels: int, stride: int, shortcut: bool) -> None:
        super().__init__()
        hidden = channels // 4
        self.conv1_1x1 = ConvBnAct(in_channels, hidden, 1)
        self.conv2_kxk = ConvBnAct(hidden, hidden, 3, stride)
        self.conv3_1x1 = ConvBnAct(hidden, channels, 1, act=False)
        self.creat_shortcut = (
            ConvBnAct(in_channels, channels, 1, stride, act=False) if shortcut else None
        )

    def construct(self, x: Tensor) -> Tensor:
        y = self.conv3_1x1(self.conv2_kxk(self.conv1_1x1(x)))
        return ops.silu(y + (x if self.creat_shortcut is None else self.creat_shortcut(x)))


class AttentionBlock(nn.Cell):
    """1×1, halo attention, 1×1, added: (B, channels, H, W) -> the same shape."""

    def __init__(self, channels: int, num_heads: int, block: int, halo: int) -> None:
        super().__init__()
        hidden = channels // 4
        self.conv1_1x1 = ConvBnAct(channels, hidden, 1)
        self.conv3_1x1 = ConvBnAct(hidden, channels, 1, act=False)
        self.self_attn = HaloAttention(hidden, num_heads, block, halo)
        self.post_attn = NormAct(hidden)

    def construct(self, x: Tensor) -> Tensor:
        y = self.post_attn(self.self_attn(self.conv1_1x1(x)))
        return ops.silu(self.conv3_1x1(y) + x)


class Stage(nn.Cell):
    """The first block changes the shape, the others do not."""

    def __init__(self, blocks: Sequence[nn.Cell]) -> None:
        super().__init__()
        self.blocks = nn.CellList(list(blocks))

    def construct(self, x: Tensor) -> Tensor:
        for block in self.blocks:
            x = block(x)
        return x


class HaloNet(nn.Cell):
    """(B, in_channels, H, W) -> logits (B, num_classes), or the maps of `out_indices`."""

    def __init__(
        self,
        depths: Sequence[int],
        widths: Sequence[int],
        attention_blocks: Sequence[Sequence[int]],
        num_heads: Sequence[int],
        block: int,
        halo: int,
        num_classes: int,
        in_channels: int,
        out_indices: tuple[int, ...] | None,
    ) -> None:
        super().__init__()
        self.out_indices = out_indices
        self.stem = Stem(in_channels)
        before, stages = _STEM[-1], []
        for index, (depth, width) in enumerate(zip(depths, widths, strict=True)):
            blocks: list[nn.Cell] = [BottleneckBlock(before, width, 2 if index else 1, True)]
            for place in range(1, depth):
                if place in attention_blocks[index]:
                    blocks.append(AttentionBlock(width, num_heads[index], block, halo))
                else:
                    blocks.append(BottleneckBlock(width, width, 1, False))
            stages.append(Stage(blocks))
            before = width
        self.stage1, self.stage2, self.stage3, self.stage4 = stages
        self.feature_info = tuple(FeatureMap(widths[i], 4 * 2**i) for i in out_indices or ())
        if out_indices is None:
            self.classifier = nn.SequentialCell([GlobalAvgPool(), dense(before, num_classes)])

    def construct(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        map1 = self.stage1(self.stem(x))
        map2 = self.stage2(map1)
        map3 = self.stage3(map2)
        map4 = self.stage4(map3)
        if self.out_indices is None:
            return self.classifier(map4)
        maps = (map1, map2, map3, map4)
        chosen: tuple[Tensor, ...] = ()
        for index in self.out_indices:
            chosen = (*chosen, maps[index])
        return chosen


def halonet(
    depths: Sequence[int] = (3, 4, 6, 3),
    dims: Sequence[int] = (256, 512, 1024, 2048),
    attention_blocks: Sequence[Sequence[int]] = ((), (3,), (1, 3, 5), (1,)),
    num_heads: Sequence[int] = (0, 4, 8, 8),
    block_size: int = 8,
    halo_size: int = 3,
    num_classes: int = 1000,
    in_channels: int = 3,
    features_only: bool = False,
    out_indices: Sequence[int] = (0, 1, 2, 3),
) -> HaloNet:
    """HaloNet: float32 (B, in_channels, H, W) -> logits (B, num_classes).

    H and W are multiples of 32 · `block_size` where the last stage attends.

    Args:
        depths: blocks of each of the four stages.
        dims: channels of each.
        attention_blocks: which blocks of each stage attend, from 1; the first never does.
        num_heads: heads of each stage's attention.
        block_size: side of the blocks of places that attend together.
        halo_size: how far around they see.
        num_classes: outputs of the classifier.
        in_channels: channels of the picture.
        features_only: leave out the classifier and return a tuple of feature maps.
        out_indices: which stages' maps: at 1/4, 1/8, 1/16, 1/32 of the picture's size.

    Raises:
        ValueError: other than four stages, or one that does not exist.
    """
    if {len(depths), len(dims), len(attention_blocks), len(num_heads)} != {4}:
        raise ValueError("halonet has four stages: give each argument of stages four values")
    return HaloNet(
        depths,
        dims,
        attention_blocks,
        num_heads,
        block_size,
        halo_size,
        num_classes,
        in_channels,
        check_out_indices(out_indices, 4) if features_only else None,
    )
