"""YOLOv3 on Res2Net-50, as the MindSpore models repository publishes it.

Source: Redmon and Farhadi, "YOLOv3: An Incremental Improvement" (2018) and Gao et al., "Res2Net"
(2019), in the form of the models repository (research/cv/res2net_yolov3), whose parameter names
these are, but for the backbone's.
"""

from __future__ import annotations

from mindspore import nn

from zoohub.networks.faster_rcnn.network import freeze
from zoohub.networks.layers.fraction_head import FractionDetector
from zoohub.networks.res2net.blocks import Slices
from zoohub.networks.res2net.network import Res2Net
from zoohub.networks.yolov3_darknet53.network import LEVELS, FeatureMap

_WIDTHS = (512, 1024, 2048)


def backbone(in_channels: int, out_indices: tuple[int, ...]) -> Res2Net:
    """Res2Net-50 v1b as the publisher's detectors have it, the stem and the first stage frozen."""
    slices = Slices(26, 4, pooled_shortcuts=True, zoo=True, detecting=True)
    net = Res2Net(50, slices, True, False, 0, in_channels, out_indices)
    stem = list(net.conv1.cell_list)
    convs: list[nn.Cell] = [cell for cell in stem if isinstance(cell, nn.Conv2d)]
    for cell in (*convs, net.bn1, net.layer1):
        freeze(cell)
    return net


def yolov3_res2net(
    num_classes: int = 80, in_channels: int = 3, decode: bool = True
) -> FractionDetector:
    """YOLOv3: float32 (B, in_channels, H, W) -> boxes; H and W multiples of 32.

    Returns what `FractionDetector` does, at 1/32, 1/16 and 1/8.

    Args:
        num_classes: classes, without a background class.
        in_channels: channels of the picture.
        decode: False leaves the maps undecoded in evaluation mode too.
    """
    feature_map = FeatureMap(backbone(in_channels, (2, 3, 4)), _WIDTHS, num_classes)
    return FractionDetector(feature_map, LEVELS, decode)
