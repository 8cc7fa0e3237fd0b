"""DeepLabV3: a ResNet that keeps its size, atrous spatial pyramid pooling, a 1×1 classifier.

Source: Chen et al., "Rethinking Atrous Convolution for Semantic Image Segmentation" (2017), in the
form of the MindSpore models repository (official/cv/deeplabv3).
"""

from __future__ import annotations

from collections.abc import Sequence

from mindspore import Tensor, nn

from zoohub.networks.layers.aspp import ASPP
from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.corner_resize import CornerResize
from zoohub.networks.resnet.network import ResNet, resnet


class DeepLabV3(nn.Cell):
    """(B, in_channels, H, W) -> logits (B, num_classes, H, W)."""

    def __init__(self, backbone: ResNet, aspp: ASPP, aspp_channels: int, num_classes: int) -> None:
        super().__init__()
        self.resnet = backbone
        self.aspp = aspp
        self.classifier = conv2d(
            aspp_channels, num_classes, 1, bias=True, weight_init="xavier_uniform"
        )
        self.resize = CornerResize("bilinear")

    def construct(self, x: Tensor) -> Tensor:
        (features,) = self.resnet(x)
        return self.resize(self.classifier(self.aspp(features)), x)


def deeplabv3(
    depth: int = 101,
    num_classes: int = 21,
    in_channels: int = 3,
    output_stride: int = 16,
    multi_grid: Sequence[int] = (1, 2, 4),
    base_channels: int = 64,
    aspp_channels: int = 256,
    dropout: float = 0.7,
) -> DeepLabV3:
    """DeepLabV3: float32 (B, in_channels, H, W) -> logits (B, num_classes, H, W).

    Pictures may have any size; with H and W of 16 n + 1 (513, say) corners fall on corners.

    Args:
        depth: of the ResNet: 18, 34, 50, 101 or 152.
        num_classes: classes, the background among them.
        in_channels: channels of the picture.
        output_stride: 16 or 8: what part of the picture's size the ResNet's last map keeps.
        multi_grid: factors on the dilation of the last stage's blocks.
        base_channels: of the ResNet's first stage, each further one having twice as many.
        aspp_channels: of the pyramid's branches.
        dropout: share of the pyramid's output set to zero in training.

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
        out_indices=(4,),
    )
    aspp = ASPP(backbone.feature_info[-1].channels, aspp_channels, dropout=dropout)
    return DeepLabV3(backbone, aspp, aspp_channels, num_classes)
