"""YOLOv3 on Res2Net-50, as the MindSpore models repository publishes it.

Source: Redmon and Farhadi, "YOLOv3: An Incremental Improvement" (2018) and Gao et al., "Res2Net"
(2019), in the form of the models repository (research/cv/res2net_yolov3), whose parameter names
these are, but for the backbone's.
"""

from __future__ import annotations

from zoohub.networks.layers.fraction_head import FractionDetector
from zoohub.networks.res2net.detecting import detecting_backbone
from zoohub.networks.yolov3_darknet53.network import LEVELS, FeatureMap

_WIDTHS = (512, 1024, 2048)


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
    feature_map = FeatureMap(detecting_backbone(in_channels, (2, 3, 4)), _WIDTHS, num_classes)
    return FractionDetector(feature_map, LEVELS, decode)
