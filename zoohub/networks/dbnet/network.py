"""DBNet and DBNet++: where text is in a picture, as MindOCR publishes them.

Source: Liao et al., "Real-time Scene Text Detection with Differentiable Binarization" (2020), and
"Real-Time Scene Text Detection with Differentiable Binarization and Adaptive Scale Fusion" (2022);
the pyramid with squeeze and excitation is PP-OCRv3's (Li et al., 2022). Parameter names are those
of MindOCR.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mindspore import Tensor, nn, ops

from zoohub.networks.dbnet.backbones import text_backbone
from zoohub.networks.layers.activations import HARD_SIGMOID_SLOPE, HardSigmoid, Ramp
from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.corner_resize import CornerResize, RepeatPixels
from zoohub.networks.layers.norm import BatchNorm2d

_BACKBONES = ("resnet18", "resnet50", "mobilenet_v3", "mobilenet_v3_ppocr")
_CHANNELS = 256  # of the four maps together
_PUBLISHED_CHANNELS = {"mobilenet_v3_ppocr": 96}  # where these are others
_STEEPNESS = 50.0  # of the step that binarises


class Excited(nn.Cell):
    """A convolution and its result again, weighted by what the whole picture holds."""

    def __init__(self, in_channels: int, channels: int, kernel: int, gate_slope: float) -> None:
        super().__init__()
        self.in_conv = conv2d(in_channels, channels, kernel)
        self.se_block = Excitation(channels, gate_slope)

    def construct(self, x: Tensor) -> Tensor:
        x = self.in_conv(x)
        return x + self.se_block(x)


class Excitation(nn.Cell):
    """Squeeze and excitation by a quarter of the channels: (B, C, H, W) -> the same shape.

    The gate is a line of slope `gate_slope` through 1/2, cut off at 0 and 1.
    """

    def __init__(self, channels: int, gate_slope: float = HARD_SIGMOID_SLOPE) -> None:
        super().__init__()
        self.conv1 = conv2d(channels, channels // 4, 1, bias=True)
        self.conv2 = conv2d(channels // 4, channels, 1, bias=True)
        self.gate = HardSigmoid() if gate_slope == HARD_SIGMOID_SLOPE else Ramp(gate_slope)

    def construct(self, x: Tensor) -> Tensor:
        weights = self.conv2(ops.relu(self.conv1(ops.mean(x, (2, 3), True))))
        return x * self.gate(weights)


class ScaleFusion(nn.Cell):
    """Four maps of `channels` / 4 -> each weighted pixel by pixel, joined: (B, channels, H, W)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        own = channels // 4
        self.conv = conv2d(channels, own, 3, bias=True)
        self.chan_att = nn.SequentialCell(
            [conv2d(own, own // 4, 1), nn.ReLU(), conv2d(own // 4, own, 1), nn.Sigmoid()]
        )
        self.spat_att = nn.SequentialCell(
            [conv2d(1, 1, 3), nn.ReLU(), conv2d(1, 1, 1), nn.Sigmoid()]
        )
        self.scale_att = nn.SequentialCell([conv2d(own, 4, 1), nn.Sigmoid()])

    def construct(self, maps: tuple[Tensor, ...]) -> Tensor:
        x = self.conv(ops.concat(maps, 1))
        x = self.chan_att(ops.mean(x, (2, 3), True)) + x
        x = self.spat_att(ops.mean(x, 1, True)) + x
        weights = self.scale_att(x)
        weighted: tuple[Tensor, ...] = ()
        for scale, each in enumerate(maps):
            weighted = (*weighted, weights[:, scale : scale + 1] * each)
        return ops.concat(weighted, 1)


class Join(nn.Cell):
    """Maps side by side."""

    def construct(self, maps: tuple[Tensor, ...]) -> Tensor:
        return ops.concat(maps, 1)


class Pyramid(nn.Cell):
    """Four maps from 1/4 to 1/32 -> one at 1/4, the coarsest one's channels first.

    `own` and `smooth` are the convolutions of each map before and after the coarser is added. Maps
    are spread by repeating pixels, with `corners` so that those of the corners stay there.
    """

    def __init__(
        self, own: Sequence[nn.Cell], smooth: Sequence[nn.Cell], fuse: nn.Cell, corners: bool
    ) -> None:
        super().__init__()
        self.unify_channels = nn.CellList(list(own))
        self.out = nn.CellList(list(smooth))
        self.fuse = fuse
        self.spread = CornerResize("nearest") if corners else RepeatPixels()

    def construct(self, maps: tuple[Tensor, ...]) -> Tensor:
        last = len(maps) - 1
        above = self.unify_channels[last](maps[last])
        joined: tuple[Tensor, ...] = (self.spread(self.out[last](above), maps[0]),)
        for step in range(1, last + 1):
            level = last - step
            here = self.unify_channels[level](maps[level])
            above = here + self.spread(above, here)
            joined = (*joined, self.spread(self.out[level](above), maps[0]))
        return self.fuse(joined)


def heat_map(channels: int) -> nn.SequentialCell:
    """(B, channels, H, W) -> (B, 1, 4 H, 4 W), from 0 to 1."""
    hidden = channels // 4

    def double(outputs: int) -> nn.Conv2dTranspose:
        return nn.Conv2dTranspose(hidden, outputs, 2, 2, "valid", has_bias=True)

    return nn.SequentialCell(
        [
            conv2d(channels, hidden, 3),
            BatchNorm2d(hidden),
            nn.ReLU(),
            double(hidden),
            BatchNorm2d(hidden),
            nn.ReLU(),
            double(1),
            nn.Sigmoid(),
        ]
    )


class Head(nn.Cell):
    """(B, channels, H, W) -> where text is, and in training the threshold for it."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.segm = heat_map(channels)
        self.thresh = heat_map(channels)

    def construct(self, x: Tensor) -> Tensor | tuple[Tensor, Tensor, Tensor]:
        found = self.segm(x)
        if not self.training:
            return found
        threshold = self.thresh(x)
        return found, threshold, ops.sigmoid(_STEEPNESS * (found - threshold))


class DBNet(nn.Cell):
    """See `dbnet`."""

    def __init__(self, backbone: nn.Cell, neck: nn.Cell, channels: int) -> None:
        super().__init__()
        self.backbone = backbone
        self.neck = neck
        self.head = Head(channels)

    def construct(self, x: Tensor) -> Tensor | tuple[Tensor, Tensor, Tensor]:
        return self.head(self.neck(self.backbone(x)))


def _pyramid(
    widths: Sequence[int],
    channels: int,
    conv: Callable[[int, int, int], nn.Cell],
    fuse: nn.Cell,
    corners: bool,
) -> Pyramid:
    own = [conv(width, channels, 1) for width in widths]
    smooth = [conv(channels, channels // 4, 3) for _ in widths]
    return Pyramid(own, smooth, fuse, corners)


def dbnet(
    backbone: str = "resnet50",
    scale_fusion: bool = False,
    in_channels: int = 3,
    corners: bool = False,
    gate_slope: float = HARD_SIGMOID_SLOPE,
    width: float = 1.0,
    channels: int = 0,
) -> DBNet:
    """DBNet: float32 (B, in_channels, H, W) -> probability of text (B, 1, H, W), from 0 to 1.

    H and W are multiples of 32. In training mode a tuple of three such maps: the probability, the
    threshold, and the step from 0 to 1 where the one passes the other.

    Args:
        backbone: "resnet18", "resnet50", "mobilenet_v3" (at half its width) or
            "mobilenet_v3_ppocr" (PP-OCRv3's: without squeeze and excitation, but for its pyramid).
        scale_fusion: DBNet++: weigh the pyramid's maps before they are joined.
        in_channels: channels of the picture.
        corners: the pixels of a map's corners stay there when it is spread, as MindOCR has it on
            PP-OCRv3's (and Paddle has not).
        gate_slope: of the gates in PP-OCRv3's pyramid: MindOCR's; PaddleOCR, whose weights these
            are, has 0.2.
        width: how many times as many channels a ResNet has as published, above 0 and up to 8.
        channels: of the pyramid's four maps together, a multiple of 16; 0: as published, 256,
            of PP-OCRv3's 96.

    Raises:
        ValueError: an unknown backbone, a width beyond those, another than 1 of a MobileNetV3,
            channels that are no multiple of 16, or scale fusion on PP-OCRv3's.
    """
    body, widths = text_backbone("dbnet", backbone, in_channels, _BACKBONES, width)
    channels = channels or _PUBLISHED_CHANNELS.get(backbone, _CHANNELS)
    if channels < 0 or channels % 16:
        raise ValueError(f"dbnet has a multiple of 16 channels, not {channels}")
    if backbone == "mobilenet_v3_ppocr":
        if scale_fusion:
            raise ValueError("dbnet has no scale_fusion on mobilenet_v3_ppocr")

        def excited(width: int, outputs: int, kernel: int) -> nn.Cell:
            return Excited(width, outputs, kernel, gate_slope)

        neck = _pyramid(widths, channels, excited, Join(), corners)
        return DBNet(body, neck, channels)
    fuse = ScaleFusion(channels) if scale_fusion else Join()
    return DBNet(body, _pyramid(widths, channels, conv2d, fuse, corners), channels)
