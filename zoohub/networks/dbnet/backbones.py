"""The backbones of MindOCR's text detectors: -> maps at 1/4, 1/8, 1/16 and 1/32 of the picture."""

from __future__ import annotations

from mindspore import Tensor, nn

from zoohub.networks.layers.activations import HardSwish
from zoohub.networks.layers.conv import conv_norm
from zoohub.networks.layers.features import ReadLayers
from zoohub.networks.mobilenet_v3.network import Numerics, body
from zoohub.networks.resnet.network import resnet

_RESNETS = {"resnet18": 18, "resnet50": 50, "resnet152": 152}
_MOBILENETS = {
    "mobilenet_v3": Numerics("same", 1e-5, always_expand=True, excitation="dense"),
    "mobilenet_v3_ppocr": Numerics("symmetric", 1e-5, always_expand=True, excitation="none"),
}
_WIDTH = 0.5
_BASE_CHANNELS = 64  # of a ResNet
# Of MobileNetV3's layers the last at each size; the 1×1 convolution at the end is one of them.
_PLACES = (5, 8, 14, 20)


class MobileNetV3Maps(nn.Cell):
    """MobileNetV3-Large at half its width, with a 1×1 convolution at the end."""

    def __init__(self, in_channels: int, numerics: Numerics) -> None:
        super().__init__()
        layers, maps = body("large", _WIDTH, in_channels, numerics)
        last = 6 * maps[-1].channels
        layers += conv_norm(maps[-1].channels, last, 1, act=HardSwish, eps=numerics.bn_eps)
        self.features = ReadLayers(layers, _PLACES)
        self.widths = (*(maps[place].channels for place in _PLACES[:3]), last)

    def construct(self, x: Tensor) -> tuple[Tensor, ...]:
        return self.features(x)


def text_backbone(
    family: str, name: str, in_channels: int, known: tuple[str, ...], width: float = 1.0
) -> tuple[nn.Cell, tuple[int, ...]]:
    """A backbone and the channels of its maps; a ResNet has `width` times as many as published.

    Raises:
        ValueError: not among those that the family has, or another width of a MobileNetV3, or one
            that is not above 0 and up to 8.
    """
    if name not in known:
        raise ValueError(f"{family} has backbones {', '.join(known)}, not {name!r}")
    if name in _MOBILENETS:
        if width != 1:
            raise ValueError(f"{family} has width on ResNets alone, not on {name}")
        mobile = MobileNetV3Maps(in_channels, _MOBILENETS[name])
        return mobile, mobile.widths
    if not 0 < width <= 8:
        raise ValueError(f"{family} has a width above 0, up to 8 times the published, not {width}")
    net = resnet(
        _RESNETS[name],
        in_channels=in_channels,
        base_channels=max(1, round(_BASE_CHANNELS * width)),
        features_only=True,
        out_indices=(1, 2, 3, 4),
    )
    return net, tuple(each.channels for each in net.feature_info)
