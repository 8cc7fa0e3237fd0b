"""Vision GNN (ViG) of every size.

Source: Han et al., "Vision GNN: An Image is Worth Graph of Nodes" (2022). Parameter names are
those of the models repository (research/cv/ViG), without the prefix of its loss cell.
"""

from __future__ import annotations

import numpy as np
from mindspore import Parameter, Tensor, nn, ops
from mindspore.common.initializer import TruncatedNormal, initializer

from zoohub.networks.layers.activations import gelu
from zoohub.networks.layers.attention import scores
from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.drop_path import DropPath, drop_path_rates
from zoohub.networks.layers.norm import BatchNorm2d
from zoohub.networks.layers.patch_embed import to_tokens

_HEAD_CHANNELS = 1024
_GROUPS = 4  # of the graph convolution
_PATCH = 16


def _conv_norm(
    in_channels: int, channels: int, kernel: int, stride: int, act: nn.Cell | None
) -> nn.SequentialCell:
    conv = conv2d(in_channels, channels, kernel, stride)
    return nn.SequentialCell([conv, BatchNorm2d(channels), *([] if act is None else [act])])


def _nearest(x: Tensor, count: int, step: int) -> Tensor:
    """Tokens (B, N, C) -> for each every `step`-th of its `count` nearest: (B, N, K) numbers."""
    squares = ops.square(x).sum(-1, keepdims=True)
    closeness = 2.0 * scores(x, x) - squares - ops.transpose(squares, (0, 2, 1))
    return ops.topk(closeness, count)[1][:, :, ::step]


class MaxRelativeConv(nn.Cell):
    """What is largest among the differences to the nearest places, and a convolution of both.

    (B, C, H, W) -> (B, channels, H, W).
    """

    def __init__(self, in_channels: int, channels: int, neighbours: int, dilation: int) -> None:
        super().__init__()
        self.neighbours, self.dilation = neighbours, dilation
        self.nn = conv2d(2 * in_channels, channels, 1, groups=_GROUPS, bias=True)

    def construct(self, x: Tensor) -> Tensor:
        _, channels, height, width = x.shape
        tokens = to_tokens(x)
        index = _nearest(tokens, self.neighbours, self.dilation)
        count = index.shape[2]
        index = ops.reshape(index, (-1, height * width * count, 1))
        near = ops.gather_elements(tokens, 1, ops.tile(index, (1, 1, channels)))
        near = ops.reshape(near, (-1, height * width, count, channels))
        largest = ops.amax(near - ops.expand_dims(tokens, 2), 2)
        largest = ops.reshape(ops.transpose(largest, (0, 2, 1)), (-1, channels, height, width))
        return self.nn(ops.concat((x, largest), 1))


class Grapher(nn.Cell):
    """A graph convolution between 1×1 convolutions, added: (B, C, H, W) -> the same shape."""

    def __init__(
        self,
        channels: int,
        neighbours: int,
        dilation: int,
        exact_gelu: bool,
        drop_path: float,
    ) -> None:
        super().__init__()
        self.fc1 = _conv_norm(channels, channels, 1, 1, None)
        graph = MaxRelativeConv(channels, 2 * channels, neighbours, dilation)
        self.graph_conv = nn.SequentialCell([graph, BatchNorm2d(2 * channels), gelu(exact_gelu)])
        self.fc2 = _conv_norm(2 * channels, channels, 1, 1, None)
        self.drop_path = DropPath(drop_path)

    def construct(self, x: Tensor) -> Tensor:
        return x + self.drop_path(self.fc2(self.graph_conv(self.fc1(x))))


class FeedForward(nn.Cell):
    """1×1 convolutions with batch norms, added: (B, C, H, W) -> the same shape."""

    def __init__(self, channels: int, hidden: int, exact_gelu: bool, drop_path: float) -> None:
        super().__init__()
        self.fc1 = _conv_norm(channels, hidden, 1, 1, gelu(exact_gelu))
        self.fc2 = _conv_norm(hidden, channels, 1, 1, None)
        self.drop_path = DropPath(drop_path)

    def construct(self, x: Tensor) -> Tensor:
        return x + self.drop_path(self.fc2(self.fc1(x)))


class Block(nn.Cell):
    """Graph convolution, then 1×1 convolutions: shapes stay."""

    def __init__(
        self,
        channels: int,
        mlp_ratio: float,
        neighbours: int,
        dilation: int,
        exact_gelu: bool,
        drop_path: float,
    ) -> None:
        super().__init__()
        self.grapher = Grapher(channels, neighbours, dilation, exact_gelu, drop_path)
        self.mlp = FeedForward(channels, int(channels * mlp_ratio), exact_gelu, drop_path)

    def construct(self, x: Tensor) -> Tensor:
        return self.mlp(self.grapher(x))


class ConvStem(nn.Cell):
    """Five convolutions, four of which stride: (B, C, H, W) -> (B, channels, H / 16, W / 16)."""

    def __init__(self, in_channels: int, channels: int, exact_gelu: bool) -> None:
        super().__init__()
        widths = (in_channels, channels // 8, channels // 4, channels // 2, channels)
        self.conv1, self.conv2, self.conv3, self.conv4 = (
            _conv_norm(widths[index], widths[index + 1], 3, 2, gelu(exact_gelu))
            for index in range(4)
        )
        self.conv5 = _conv_norm(channels, channels, 3, 1, None)

    def construct(self, x: Tensor) -> Tensor:
        return self.conv5(self.conv4(self.conv3(self.conv2(self.conv1(x)))))


class ViG(nn.Cell):
    """(B, in_channels, image_size, image_size) -> logits (B, num_classes)."""

    def __init__(
        self,
        grid: int,
        embed_dim: int,
        depth: int,
        neighbours: int,
        mlp_ratio: float,
        num_classes: int,
        in_channels: int,
        exact_gelu: bool,
        drop_path: float,
    ) -> None:
        super().__init__()
        self.pos_embed = Parameter(initializer(TruncatedNormal(0.02), (1, embed_dim, grid, grid)))
        self.patch_embed = ConvStem(in_channels, embed_dim, exact_gelu)
        counts = [int(count) for count in np.linspace(neighbours, 2 * neighbours, depth)]
        largest = grid * grid // max(counts)
        rates = drop_path_rates(drop_path, depth)
        self.blocks = nn.CellList(
            [
                Block(
                    embed_dim,
                    mlp_ratio,
                    counts[index],
                    min(largest, index // 4 + 1),
                    exact_gelu,
                    rates[index],
                )
                for index in range(depth)
            ]
        )
        self.head = nn.SequentialCell(
            [
                conv2d(embed_dim, _HEAD_CHANNELS, 1, bias=True),
                BatchNorm2d(_HEAD_CHANNELS),
                gelu(exact_gelu),
                conv2d(_HEAD_CHANNELS, num_classes, 1, bias=True),
            ]
        )

    def construct(self, x: Tensor) -> Tensor:
        x = self.patch_embed(x) + self.pos_embed
        for block in self.blocks:
            x = block(x)
        return self.head(ops.mean(x, (2, 3), True))[:, :, 0, 0]


def vig(
    image_size: int = 224,
    embed_dim: int = 320,
    depth: int = 16,
    neighbours: int = 9,
    mlp_ratio: float = 4.0,
    num_classes: int = 1000,
    in_channels: int = 3,
    exact_gelu: bool = False,
    drop_path: float = 0.0,
) -> ViG:
    """ViG: float32 (B, in_channels, image_size, image_size) -> logits (B, num_classes).

    Args:
        image_size: side of the picture in pixels; the position embedding is made for it.
        embed_dim: channels of a place: 192 (tiny), 320 (small), 640 (base).
        depth: blocks: 12, 16, 16.
        neighbours: how many nearest places the first block sees; the last sees twice as many.
        mlp_ratio: hidden channels of each MLP, in multiples of `embed_dim`.
        num_classes: outputs of the classifier.
        in_channels: channels of the picture.
        exact_gelu: GELU by the error function in place of tanh.
        drop_path: share of samples whose last block is skipped in training.
    """
    return ViG(
        image_size // _PATCH,
        embed_dim,
        depth,
        neighbours,
        mlp_ratio,
        num_classes,
        in_channels,
        exact_gelu,
        drop_path,
    )
