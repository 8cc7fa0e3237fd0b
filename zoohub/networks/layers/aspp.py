"""Atrous spatial pyramid pooling.

Source: Chen et al., "Rethinking Atrous Convolution for Semantic Image Segmentation" (2017).
Parameter names are those of the MindSpore models repository.
"""

from __future__ import annotations

from collections.abc import Sequence

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.norm import BatchNorm2d


def _conv_norm_relu(
    in_channels: int, out_channels: int, kernel: int, dilation: int = 1
) -> nn.SequentialCell:
    conv = conv2d(
        in_channels, out_channels, kernel, weight_init="xavier_uniform", dilation=dilation
    )
    return nn.SequentialCell([conv, BatchNorm2d(out_channels), nn.ReLU()])


class AtrousConv(nn.Cell):
    """A 3×3 convolution whose pixels are `rate` apart; 1×1 where `rate` is 1."""

    def __init__(self, in_channels: int, out_channels: int, rate: int) -> None:
        super().__init__()
        self.aspp_conv = _conv_norm_relu(in_channels, out_channels, 1 if rate == 1 else 3, rate)

    def construct(self, x: Tensor) -> Tensor:
        return self.aspp_conv(x)


class PicturePooling(nn.Cell):
    """The mean over the whole map, beside every pixel: (B, in, H, W) -> (B, out, H, W).

    Upstream pools over squares of the map's height, which is the same where the map is square.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv = _conv_norm_relu(in_channels, out_channels, 1)

    def construct(self, x: Tensor) -> Tensor:
        pooled = self.conv(ops.mean(x, (2, 3), True))
        return ops.broadcast_to(pooled, (-1, -1, *x.shape[2:]))


class ASPP(nn.Cell):
    """The same map seen at four rates and as a whole: (B, in, H, W) -> (B, out, H, W)."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int = 256,
        rates: Sequence[int] = (1, 6, 12, 18),
        dropout: float = 0.7,
    ) -> None:
        super().__init__()
        self.aspp1, self.aspp2, self.aspp3, self.aspp4 = [
            AtrousConv(in_channels, out_channels, rate) for rate in rates
        ]
        self.aspp_pooling = PicturePooling(in_channels, out_channels)
        self.conv1 = conv2d(5 * out_channels, out_channels, 1, weight_init="xavier_uniform")
        self.bn1 = BatchNorm2d(out_channels)
        self.drop = nn.Dropout(p=dropout)

    def construct(self, x: Tensor) -> Tensor:
        views = (self.aspp1(x), self.aspp2(x), self.aspp3(x), self.aspp4(x), self.aspp_pooling(x))
        return self.drop(ops.relu(self.bn1(self.conv1(ops.concat(views, 1)))))
