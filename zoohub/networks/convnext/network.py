"""ConvNeXt, both versions, of every size.

Source: Liu et al., "A ConvNet for the 2020s" (2022); Woo et al., "ConvNeXt V2: Co-designing and
Scaling ConvNets with Masked Autoencoders" (2023). Parameter names are those of mindcv; the models
repository computes the same.
"""

from __future__ import annotations

from collections.abc import Sequence

from mindspore import Parameter, Tensor, nn, ops
from mindspore.common.initializer import TruncatedNormal, initializer

from zoohub.networks.layers.activations import gelu
from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.dense import dense, layer_norm
from zoohub.networks.layers.drop_path import DropPath, drop_path_rates
from zoohub.networks.layers.features import FeatureMap, check_out_indices
from zoohub.networks.layers.map_norms import ChannelNorm
from zoohub.networks.layers.pooling import GlobalAvgPool

_RESPONSE_EPS = 1e-6
_SMALLEST_SQUARE = 1e-24  # keeps the root's slope finite where a channel is silent


def _conv(in_channels: int, out_channels: int, kernel: int, stride: int, groups: int) -> nn.Conv2d:
    init = TruncatedNormal(0.02)
    return conv2d(in_channels, out_channels, kernel, stride, "same", groups, True, init)


class ResponseNorm(nn.Cell):
    """Global response normalisation: channels compete by their strength over the picture.

    (B, H, W, C) -> the same shape.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gamma = Parameter(initializer("zeros", (1, 1, 1, channels)), name="gamma")
        self.beta = Parameter(initializer("zeros", (1, 1, 1, channels)), name="beta")

    def construct(self, x: Tensor) -> Tensor:
        squares = ops.square(x).sum((1, 2), keepdims=True)
        strength = ops.sqrt(ops.maximum(squares, _SMALLEST_SQUARE))
        relative = strength / (ops.mean(strength, -1, True) + _RESPONSE_EPS)
        return self.gamma * (x * relative) + self.beta + x


class ConvNeXtBlock(nn.Cell):
    """7×7 convolution of each channel, norm, and an MLP, added: (B, C, H, W) -> the same shape."""

    def __init__(
        self,
        channels: int,
        norm_eps: float,
        exact_gelu: bool,
        layer_scale: float | None,
        response_norm: bool,
        drop_path: float,
    ) -> None:
        super().__init__()
        self.gamma_ = None
        if layer_scale is not None:
            self.gamma_ = Parameter(initializer(layer_scale, (channels,)), name="gamma_")
        self.dwconv = _conv(channels, channels, 7, 1, channels)
        self.norm = layer_norm(channels, norm_eps)
        self.pwconv1 = dense(channels, 4 * channels)
        self.act = gelu(exact_gelu)
        self.grn = ResponseNorm(4 * channels) if response_norm else None
        self.pwconv2 = dense(4 * channels, channels)
        self.drop_path = DropPath(drop_path)

    def construct(self, x: Tensor) -> Tensor:
        y = ops.transpose(self.dwconv(x), (0, 2, 3, 1))
        y = self.act(self.pwconv1(self.norm(y)))
        if self.grn is not None:
            y = self.grn(y)
        y = self.pwconv2(y)
        if self.gamma_ is not None:
            y = y * self.gamma_
        return x + self.drop_path(ops.transpose(y, (0, 3, 1, 2)))


class ConvNeXt(nn.Cell):
    """(B, in_channels, H, W) -> logits (B, num_classes), or the maps of `out_indices`."""

    def __init__(
        self,
        depths: Sequence[int],
        widths: Sequence[int],
        num_classes: int,
        in_channels: int,
        norm_eps: float,
        exact_gelu: bool,
        layer_scale: float | None,
        response_norm: bool,
        drop_path: float,
        out_indices: tuple[int, ...] | None,
    ) -> None:
        super().__init__()
        self.out_indices = out_indices
        rates = drop_path_rates(drop_path, sum(depths))
        feature, start = [], 0
        for index, (depth, width) in enumerate(zip(depths, widths, strict=True)):
            if index == 0:
                shrink = [_conv(in_channels, width, 4, 4, 1), ChannelNorm(width, norm_eps)]
            else:
                before = widths[index - 1]
                shrink = [ChannelNorm(before, norm_eps), _conv(before, width, 2, 2, 1)]
            options = (width, norm_eps, exact_gelu, layer_scale, response_norm)
            blocks = [ConvNeXtBlock(*options, rate) for rate in rates[start : start + depth]]
            feature += [nn.SequentialCell(shrink), nn.SequentialCell(blocks)]
            start += depth
        self.feature = nn.CellList(feature)
        self.feature_info = tuple(FeatureMap(widths[i], 4 * 2**i) for i in out_indices or ())
        if out_indices is None:
            self.pool = GlobalAvgPool()
            self.norm = layer_norm(widths[-1], norm_eps)
            self.classifier = dense(widths[-1], num_classes)

    def construct(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        maps: tuple[Tensor, ...] = ()
        for index, layer in enumerate(self.feature):
            x = layer(x)
            if self.out_indices is not None and (index - 1) / 2 in self.out_indices:
                maps = (*maps, x)
        if self.out_indices is not None:
            return maps
        return self.classifier(self.norm(self.pool(x)))


def convnext(
    depths: Sequence[int] = (3, 3, 9, 3),
    dims: Sequence[int] = (96, 192, 384, 768),
    num_classes: int = 1000,
    in_channels: int = 3,
    norm_eps: float = 1e-6,
    exact_gelu: bool = False,
    layer_scale: float | None = 1e-6,
    response_norm: bool = False,
    drop_path: float = 0.0,
    features_only: bool = False,
    out_indices: Sequence[int] = (0, 1, 2, 3),
) -> ConvNeXt:
    """ConvNeXt: float32 (B, in_channels, H, W) -> logits (B, num_classes).

    Args:
        depths: blocks of each of the four stages.
        dims: channels of each.
        num_classes: outputs of the classifier.
        in_channels: channels of the picture.
        norm_eps: epsilon of the layer norms.
        exact_gelu: GELU by the error function (timm) in place of mindcv's tanh.
        layer_scale: what the factors of the residual branches start at; None leaves them out
            (version 2).
        response_norm: global response normalisation in every block (version 2).
        drop_path: share of samples whose last block is skipped in training.
        features_only: leave out norm and classifier and return a tuple of feature maps.
        out_indices: which stages' maps: at 1/4, 1/8, 1/16, 1/32 of the picture's size.

    Raises:
        ValueError: stages that differ in number, or one that does not exist.
    """
    if len(depths) != len(dims):
        raise ValueError(f"{len(depths)} depths but dims for {len(dims)} stages")
    return ConvNeXt(
        depths,
        dims,
        num_classes,
        in_channels,
        norm_eps,
        exact_gelu,
        layer_scale,
        response_norm,
        drop_path,
        check_out_indices(out_indices, len(depths)) if features_only else None,
    )
