"""RepMLPNet of every size, in the form that is trained.

Source: Ding et al., "RepMLPNet: Hierarchical Vision MLP with Re-parameterized Locality" (2022).
Parameter names are those of mindcv.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.activations import gelu
from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.dense import dense
from zoohub.networks.layers.features import FeatureMap, check_out_indices
from zoohub.networks.layers.norm import BatchNorm2d
from zoohub.networks.layers.pooling import GlobalAvgPool

_GLOBAL_REDUCTION = 4
_EXPANSION = 4
_PATCH = 4


def _conv_norm(
    in_channels: int, out_channels: int, kernel: int, stride: int = 1, groups: int = 1
) -> nn.SequentialCell:
    """A convolution without padding where it strides, and a batch norm."""
    padding = 0 if stride > 1 else kernel // 2
    conv = conv2d(in_channels, out_channels, kernel, stride, padding, groups)
    return nn.SequentialCell(OrderedDict(conv=conv, bn=BatchNorm2d(out_channels)))


def _conv_norm_relu(in_channels: int, out_channels: int, stride: int) -> nn.SequentialCell:
    conv = _conv_norm(in_channels, out_channels, stride, stride)
    return nn.SequentialCell(OrderedDict(conv=conv, relu=nn.ReLU()))


class GlobalPerceptron(nn.Cell):
    """Weights of the channels from their means: (B, C, H, W) -> (B, C, 1, 1), from 0 to 1."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        hidden = channels // _GLOBAL_REDUCTION
        self.fc1 = conv2d(channels, hidden, 1, bias=True)
        self.fc2 = conv2d(hidden, channels, 1, bias=True)

    def construct(self, x: Tensor) -> Tensor:
        return ops.sigmoid(self.fc2(ops.relu(self.fc1(ops.mean(x, (2, 3), True)))))


class RepMLPBlock(nn.Cell):
    """A dense layer over the places of each part of the picture, and convolutions beside it.

    (B, C, H, W) -> the same shape. Channels share `share_sets` dense layers; parts are `side`
    places high and wide.
    """

    def __init__(self, channels: int, side: int, share_sets: int, kernels: Sequence[int]) -> None:
        super().__init__()
        self.side, self.share_sets = side, share_sets
        self.gp = GlobalPerceptron(channels)
        places = side * side * share_sets
        self.fc3 = conv2d(places, places, 1, groups=share_sets)
        self.fc3_bn = BatchNorm2d(share_sets)
        branches = []
        for kernel in kernels:
            branch = _conv_norm(share_sets, share_sets, kernel, groups=share_sets)
            setattr(self, f"repconv{kernel}", branch)
            branches.append(branch)
        self.branches = tuple(branches)

    def construct(self, x: Tensor) -> Tensor:
        _, channels, height, width = x.shape
        side, sets = self.side, self.share_sets
        rows, columns = height // side, width // side
        parts = ops.reshape(x, (-1, channels, rows, side, columns, side))
        parts = ops.transpose(parts, (0, 2, 4, 1, 3, 5))
        out = self.fc3(ops.reshape(parts, (-1, sets * side * side, 1, 1)))
        out = self.fc3_bn(ops.reshape(out, (-1, sets, side, side)))
        maps = ops.reshape(parts, (-1, sets, side, side))
        for branch in self.branches:
            out = out + branch(maps)
        out = ops.reshape(out, (-1, rows, columns, channels, side, side))
        out = ops.transpose(out, (0, 3, 1, 4, 2, 5))
        return ops.reshape(out, (-1, channels, height, width)) * self.gp(x)


class FeedForward(nn.Cell):
    """1×1 convolution, GELU, 1×1 convolution, batch norms with both; shapes stay."""

    def __init__(self, channels: int, exact_gelu: bool) -> None:
        super().__init__()
        self.ffn_fc1 = _conv_norm(channels, _EXPANSION * channels, 1)
        self.ffn_fc2 = _conv_norm(_EXPANSION * channels, channels, 1)
        self.act = gelu(exact_gelu)

    def construct(self, x: Tensor) -> Tensor:
        return self.ffn_fc2(self.act(self.ffn_fc1(x)))


class RepMLPUnit(nn.Cell):
    """Places, then channels, each after a norm and added: (B, C, H, W) -> the same shape."""

    def __init__(
        self,
        channels: int,
        side: int,
        share_sets: int,
        kernels: Sequence[int],
        exact_gelu: bool,
    ) -> None:
        super().__init__()
        self.repmlp_block = RepMLPBlock(channels, side, share_sets, kernels)
        self.ffn_block = FeedForward(channels, exact_gelu)
        self.prebn1 = BatchNorm2d(channels)
        self.prebn2 = BatchNorm2d(channels)

    def construct(self, x: Tensor) -> Tensor:
        x = x + self.repmlp_block(self.prebn1(x))
        return x + self.ffn_block(self.prebn2(x))


class RepMLPNet(nn.Cell):
    """(B, in_channels, H, W) -> logits (B, num_classes), or the maps of `out_indices`."""

    def __init__(
        self,
        depths: Sequence[int],
        widths: Sequence[int],
        sides: Sequence[int],
        share_sets: Sequence[int],
        kernels: Sequence[int],
        num_classes: int,
        in_channels: int,
        exact_gelu: bool,
        out_indices: tuple[int, ...] | None,
    ) -> None:
        super().__init__()
        self.out_indices = out_indices
        self.conv_embedding = _conv_norm_relu(in_channels, widths[0], _PATCH)
        # Published files hold this convolution, which nothing uses.
        self.conv2d = conv2d(in_channels, widths[0], _PATCH, _PATCH, 0)
        self.stages = nn.CellList(
            [
                nn.CellList(
                    [RepMLPUnit(width, side, sets, kernels, exact_gelu) for _ in range(depth)]
                )
                for depth, width, side, sets in zip(depths, widths, sides, share_sets, strict=True)
            ]
        )
        self.embeds = nn.CellList(
            [
                _conv_norm_relu(widths[index], widths[index + 1], 2)
                for index in range(len(widths) - 1)
            ]
        )
        self.feature_info = tuple(FeatureMap(widths[i], 4 * 2**i) for i in out_indices or ())
        if out_indices is None:
            self.head_norm = BatchNorm2d(widths[-1])
            self.pool = GlobalAvgPool()
            self.head = dense(widths[-1], num_classes)

    def construct(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        x = self.conv_embedding(x)
        maps: tuple[Tensor, ...] = ()
        for index, stage in enumerate(self.stages):
            if index > 0:
                x = self.embeds[index - 1](x)
            for unit in stage:
                x = unit(x)
            if self.out_indices is not None and index in self.out_indices:
                maps = (*maps, x)
        if self.out_indices is not None:
            return maps
        return self.head(self.pool(self.head_norm(x)))


def repmlp(
    depths: Sequence[int] = (2, 2, 6, 2),
    dims: Sequence[int] = (64, 128, 256, 512),
    part_sizes: Sequence[int] = (56, 28, 14, 7),
    share_sets: Sequence[int] = (1, 4, 16, 128),
    kernel_sizes: Sequence[int] = (1, 3),
    num_classes: int = 1000,
    in_channels: int = 3,
    exact_gelu: bool = False,
    features_only: bool = False,
    out_indices: Sequence[int] = (0, 1, 2, 3),
) -> RepMLPNet:
    """RepMLPNet: float32 (B, in_channels, H, W) -> logits (B, num_classes).

    H and W are such that `part_sizes` divide every stage's map: 224 or 256, as the name says.

    Args:
        depths: units of each of the four stages.
        dims: channels of each.
        part_sizes: side of the parts of each stage's map that its dense layers are for.
        share_sets: how many dense layers the channels of each stage share.
        kernel_sizes: of the convolutions beside them.
        num_classes: outputs of the classifier.
        in_channels: channels of the picture.
        exact_gelu: GELU by the error function in place of mindcv's tanh.
        features_only: leave out norm and classifier and return a tuple of feature maps.
        out_indices: which stages' maps: at 1/4, 1/8, 1/16, 1/32 of the picture's size.

    Raises:
        ValueError: stages that differ in number, or one that does not exist.
    """
    if len({len(depths), len(dims), len(part_sizes), len(share_sets)}) > 1:
        raise ValueError("the arguments of stages should be for the same number of them")
    return RepMLPNet(
        depths,
        dims,
        part_sizes,
        share_sets,
        kernel_sizes,
        num_classes,
        in_channels,
        exact_gelu,
        check_out_indices(out_indices, len(depths)) if features_only else None,
    )
