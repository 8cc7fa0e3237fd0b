"""CenterNet on ResNet-50, ResNet-101 and two stacked hourglasses.

Source: Zhou et al., "Objects as Points" (2019), in the form of the MindSpore models repository
(research/cv/centernet_resnet50_v1, centernet_resnet101 and centernet_det), whose parameter names
these are, but for the backbone's.
"""

from __future__ import annotations

from mindspore import Tensor, nn

from zoohub.networks.centernet.hourglass import ConvNorm, Hourglass, residual
from zoohub.networks.centernet.points import PointDetector, branch
from zoohub.networks.layers.conv import conv_norm
from zoohub.networks.layers.norm import BatchNorm2d
from zoohub.networks.resnet.network import resnet

_DEPTHS = {"resnet50": 50, "resnet101": 101}
_HIDDEN = 64  # channels inside ResNet's heads
_SPREAD = (256, 128, 64)  # what its last map becomes, at twice the size each time
_STACKS = 2
_WIDTHS = (256, 256, 384, 384, 384, 512)
_COUNTS = (2, 2, 2, 2, 2, 4)


class ResNetPoints(PointDetector):
    """ResNet, its last map spread to 1/4 by three transposed convolutions, and three heads."""

    def __init__(self, depth: int, num_classes: int, in_channels: int, base_channels: int) -> None:
        super().__init__()
        self.backbone = resnet(
            depth,
            in_channels=in_channels,
            base_channels=base_channels,
            features_only=True,
            out_indices=(4,),
        )
        layers: list[nn.Cell] = []
        width = self.backbone.feature_info[0].channels
        for channels in _SPREAD:
            layers.append(nn.Conv2dTranspose(width, channels, 4, 2, "pad", 1))
            layers += [BatchNorm2d(channels), nn.ReLU()]
            width = channels
        self.deconv_layers = nn.SequentialCell(layers)
        self.hm_fn = branch(width, _HIDDEN, num_classes, rare=True)
        self.wh_fn = branch(width, _HIDDEN, 2)
        self.reg_fn = branch(width, _HIDDEN, 2)

    def looks(self, x: Tensor) -> tuple[tuple[Tensor, Tensor, Tensor], ...]:
        (coarse,) = self.backbone(x)
        x = self.deconv_layers(coarse)
        return ((self.hm_fn(x), self.wh_fn(x), self.reg_fn(x)),)


class HourglassPoints(PointDetector):
    """Two hourglasses one after the other; the second sees what the first found too."""

    def __init__(self, num_classes: int, in_channels: int) -> None:
        super().__init__()
        width = _WIDTHS[0]
        self.pre = nn.SequentialCell(
            [ConvNorm(in_channels, width // 2, 7, 2), residual(width // 2, width, 2)]
        )
        every, between = range(_STACKS), range(_STACKS - 1)
        self.kps = nn.CellList([Hourglass(_WIDTHS, _COUNTS) for _ in every])
        self.cnvs = nn.CellList([ConvNorm(width, width, 3) for _ in every])
        self.inters = nn.CellList([residual(width, width) for _ in between])

        def fitted() -> nn.SequentialCell:
            return nn.SequentialCell(conv_norm(width, width, 1, act=None))

        self.inters_ = nn.CellList([fitted() for _ in between])
        self.cnvs_ = nn.CellList([fitted() for _ in between])
        self.relu = nn.ReLU()
        self.hm_fn = nn.CellList([branch(width, width, num_classes, rare=True) for _ in every])
        self.wh_fn = nn.CellList([branch(width, width, 2) for _ in every])
        self.reg_fn = nn.CellList([branch(width, width, 2) for _ in every])

    def looks(self, x: Tensor) -> tuple[tuple[Tensor, Tensor, Tensor], ...]:
        seen = self.pre(x)
        found: tuple[tuple[Tensor, Tensor, Tensor], ...] = ()
        for stack, hourglass in enumerate(self.kps):
            x = self.cnvs[stack](hourglass(seen))
            maps = (self.hm_fn[stack](x), self.wh_fn[stack](x), self.reg_fn[stack](x))
            found = (*found, maps)
            if stack < len(self.kps) - 1:
                seen = self.relu(self.inters_[stack](seen) + self.cnvs_[stack](x))
                seen = self.inters[stack](seen)
        return found


def centernet(
    backbone: str = "resnet50",
    num_classes: int = 80,
    in_channels: int = 3,
    decode: bool = True,
    max_detections: int = 100,
    base_channels: int = 64,
) -> PointDetector:
    """CenterNet: float32 (B, in_channels, H, W) -> maps at 1/4, and boxes.

    Returns heat logits (B, num_classes, h, w), sizes (B, 2, h, w), width before height, and offsets
    (B, 2, h, w), x before y, in pixels of the map. In evaluation mode the chosen boxes
    (B, max_detections, 6) follow, as `TopPoints` gives them; in training mode, on hourglasses, the
    first one's maps come before the second's. On hourglasses H and W are multiples of 128.

    Args:
        backbone: "resnet50", "resnet101" or "hourglass".
        num_classes: classes, without a background class.
        in_channels: channels of the picture.
        decode: False leaves the boxes out.
        max_detections: boxes given of each picture.
        base_channels: of ResNet's stem; each stage has twice as many.

    Raises:
        ValueError: an unknown backbone.
    """
    net: PointDetector
    if backbone == "hourglass":
        net = HourglassPoints(num_classes, in_channels)
    elif backbone in _DEPTHS:
        net = ResNetPoints(_DEPTHS[backbone], num_classes, in_channels, base_channels)
    else:
        known = ", ".join((*_DEPTHS, "hourglass"))
        raise ValueError(f"centernet has backbones {known}, not {backbone!r}")
    net.choose(max_detections, decode)
    return net
