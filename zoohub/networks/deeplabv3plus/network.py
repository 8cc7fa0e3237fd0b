"""DeepLabV3+: DeepLabV3's encoder, and a decoder that looks at an early map once more.

Source: Chen et al., "Encoder-Decoder with Atrous Separable Convolution for Semantic Image
Segmentation" (2018), in the form of the MindSpore models repository (research/cv/deeplabv3plus,
official/cv/DeepLabV3P): on a ResNet, with plain convolutions.
"""

from __future__ import annotations

from collections.abc import Sequence

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.aspp import ASPP
from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.corner_resize import CornerResize
from zoohub.networks.layers.norm import BatchNorm2d
from zoohub.networks.resnet.network import ResNet, resnet

_EARLY_CHANNELS = 48
_INIT = "xavier_uniform"


class DeepLabV3Plus(nn.Cell):
    """(B, in_channels, H, W) -> logits (B, num_classes, H, W), or probabilities."""

    def __init__(
        self,
        backbone: ResNet,
        aspp: ASPP,
        aspp_channels: int,
        num_classes: int,
        probabilities: bool,
    ) -> None:
        super().__init__()
        self.probabilities = probabilities
        self.resnet = backbone
        self.aspp = aspp
        early = backbone.feature_info[0].channels
        self.conv2 = conv2d(early, _EARLY_CHANNELS, 1, weight_init=_INIT)
        self.bn2 = BatchNorm2d(_EARLY_CHANNELS)
        layers: list[nn.Cell] = []
        for channels in (aspp_channels + _EARLY_CHANNELS, aspp_channels):
            conv = conv2d(channels, aspp_channels, 3, weight_init=_INIT)
            layers += [conv, BatchNorm2d(aspp_channels), nn.ReLU()]
        layers.append(conv2d(aspp_channels, num_classes, 1, weight_init=_INIT))
        self.last_conv = nn.SequentialCell(layers)
        self.nearest = CornerResize("nearest")
        self.bilinear = CornerResize("bilinear")

    def construct(self, x: Tensor) -> Tensor:
        early, late = self.resnet(x)
        late = self.nearest(self.aspp(late), early)
        early = ops.relu(self.bn2(self.conv2(early)))
        logits = self.bilinear(self.last_conv(ops.concat((late, early), 1)), x)
        return ops.softmax(logits, 1) if self.probabilities and not self.training else logits


def deeplabv3plus(
    depth: int = 101,
    num_classes: int = 21,
    in_channels: int = 3,
    output_stride: int = 16,
    multi_grid: Sequence[int] = (1, 2, 4),
    base_channels: int = 64,
    aspp_channels: int = 256,
    dropout: float = 0.7,
    probabilities: bool = False,
) -> DeepLabV3Plus:
    """DeepLabV3+: float32 (B, in_channels, H, W) -> logits (B, num_classes, H, W).

    Pictures may have any size; with H and W of 16 n + 1 (513, say) corners fall on corners.

    Args:
        depth: of the ResNet: 18, 34, 50, 101 or 152.
        num_classes: classes, the background among them.
        in_channels: channels of the picture.
        output_stride: 16 or 8: what part of the picture's size the ResNet's last map keeps.
        multi_grid: factors on the dilation of the last stage's blocks.
        base_channels: of the ResNet's first stage, each further one having twice as many.
        aspp_channels: of the pyramid's branches and the decoder.
        dropout: share of the pyramid's output set to zero in training.
        probabilities: in evaluation mode give the classes' probabilities in place of logits, as the
            publisher's own evaluation and exported files do.

    Raises:
        ValueError: an unknown depth or output stride.
    """
    backbone = resnet(
        depth,
        in_channels=in_channels,
        base_channels=base_channels,
        output_stride=output_stride,
        multi_grid=multi_grid,
        features_only=True,
        out_indices=(1, 4),
    )
    aspp = ASPP(backbone.feature_info[-1].channels, aspp_channels, dropout=dropout)
    return DeepLabV3Plus(backbone, aspp, aspp_channels, num_classes, probabilities)
