"""The face detector of the MindSpore models repository (research/cv/FaceDetection).

Source: Redmon and Farhadi, "YOLOv3: An Incremental Improvement" (2018), on a narrow backbone of the
repository's own, whose parameter names and anchors these are.
"""

from __future__ import annotations

import numpy as np
from mindspore import Tensor, nn, ops

from zoohub.networks.layers.anchor_head import cell_offsets
from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.norm import BatchNorm2d

_PER_CELL = 4
# (stride, anchors' width and height in pixels), from coarse to fine
_LEVELS = (
    (64, ((54, 71), (77, 102), (122, 162), (207, 268))),
    (32, ((15, 19), (21, 26), (28, 36), (38, 49))),
    (16, ((3, 4), (5, 6), (7, 9), (10, 13))),
)

# Of each convolution: channels, kernel, stride, and whether a ReLU follows.
Spec = tuple[int, int, int, bool]
_LAYER0: tuple[Spec, ...] = (
    (16, 3, 2, True), (32, 3, 2, True), (64, 3, 2, True), (64, 3, 1, True), (64, 3, 1, True),
)  # fmt: skip
_LAYER1: tuple[Spec, ...] = (
    (128, 3, 2, True), (64, 1, 1, False), (64, 3, 1, False), (128, 1, 1, True),
    (64, 1, 1, False), (64, 3, 1, False), (128, 1, 1, True),
)  # fmt: skip
_LAYER2: tuple[Spec, ...] = (
    (128, 3, 2, False), (256, 1, 1, True), (144, 1, 1, False), (128, 3, 1, False),
    (256, 1, 1, True), (128, 1, 1, False), (128, 3, 1, False), (256, 1, 1, True),
)  # fmt: skip
_LAYER3: tuple[Spec, ...] = (
    (144, 1, 1, False), (256, 3, 2, False), (512, 1, 1, True), (256, 1, 1, False),
    (256, 3, 1, False), (512, 1, 1, True), (256, 1, 1, False), (256, 3, 1, False),
    (512, 1, 1, True),
)  # fmt: skip
_LAYER5: tuple[Spec, ...] = (
    (160, 1, 1, False), (96, 3, 1, True), (96, 3, 1, True), (96, 3, 1, True), (80, 1, 1, False),
    (128, 3, 1, True), (96, 1, 1, False), (128, 3, 1, False), (256, 1, 1, True),
)  # fmt: skip
_LAYER7: tuple[Spec, ...] = (
    (64, 1, 1, True), (64, 3, 1, True), (64, 3, 1, True), (64, 3, 1, True), (96, 3, 1, True),
    (64, 3, 1, False), (128, 1, 1, True),
)  # fmt: skip


class ConvNorm(nn.Cell):
    """Convolution, batch norm, and a ReLU if asked."""

    def __init__(self, in_channels: int, spec: Spec) -> None:
        super().__init__()
        channels, kernel, stride, self.rectified = spec
        self.conv = conv2d(in_channels, channels, kernel, stride)
        self.bn = BatchNorm2d(channels)

    def construct(self, x: Tensor) -> Tensor:
        y = self.bn(self.conv(x))
        return ops.relu(y) if self.rectified else y


class Chain(nn.Cell):
    """Convolutions one after the other."""

    def __init__(self, in_channels: int, specs: tuple[Spec, ...]) -> None:
        super().__init__()
        widths = [in_channels, *(spec[0] for spec in specs)]
        self.layers = nn.CellList(
            [ConvNorm(width, spec) for width, spec in zip(widths, specs, strict=False)]
        )

    def construct(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x)
        return x


class Faces(nn.Cell):
    """A raw map (B, 4·6, H, W) -> boxes (B, 4, H·W, 4) and scores (B, 4, H·W).

    A box is its centre, width and height as fractions of the input; a score is the objectness,
    which is the class's too, squared.
    """

    def __init__(self, stride: int, anchors: tuple[tuple[int, int], ...]) -> None:
        super().__init__()
        sides = np.array(anchors, np.float32) / stride
        self.widths = Tensor(sides[:, 0].reshape(1, -1, 1, 1, 1))
        self.heights = Tensor(sides[:, 1].reshape(1, -1, 1, 1, 1))

    def construct(self, raw: Tensor) -> tuple[Tensor, Tensor]:
        _, channels, high, wide = raw.shape
        rows = ops.reshape(raw, (-1, _PER_CELL, channels // _PER_CELL, high, wide))
        rows = ops.transpose(rows, (0, 1, 3, 4, 2))
        x = (ops.sigmoid(rows[..., 0:1]) + cell_offsets(wide, (1, 1, 1, wide, 1))) / wide
        y = (ops.sigmoid(rows[..., 1:2]) + cell_offsets(high, (1, 1, high, 1, 1))) / high
        width = ops.exp(rows[..., 2:3]) * self.widths / wide
        height = ops.exp(rows[..., 3:4]) * self.heights / high
        boxes = ops.reshape(ops.concat((x, y, width, height), -1), (-1, _PER_CELL, high * wide, 4))
        scores = ops.square(ops.sigmoid(rows[..., 4]))
        return boxes, ops.reshape(scores, (-1, _PER_CELL, high * wide))


class FaceDetection(nn.Cell):
    """(B, in_channels, H, W) -> boxes and scores of three levels; in training mode the raw maps."""

    def __init__(self, in_channels: int, decode: bool) -> None:
        super().__init__()

        def head(channels: int) -> nn.Conv2d:
            return conv2d(channels, 6 * _PER_CELL, 1, bias=True)

        def spread(channels: int) -> nn.Conv2dTranspose:
            return nn.Conv2dTranspose(channels, 64, 4, 2, "pad", 1, has_bias=True)

        self.layer0 = Chain(in_channels, _LAYER0)
        self.layer1 = Chain(64, _LAYER1)
        self.layer2 = Chain(128, _LAYER2)
        self.layer3 = Chain(256, _LAYER3)
        self.layer4 = spread(512)
        self.layer5 = Chain(320, _LAYER5)
        self.layer6 = spread(256)
        self.layer7 = Chain(192, _LAYER7)
        self.head1_conv = head(512)
        self.head2_conv = head(256)
        self.head3_conv = head(128)
        self.faces = nn.CellList([Faces(stride, anchors) for stride, anchors in _LEVELS])
        self.decodes = decode

    def construct(self, x: Tensor) -> tuple[Tensor, ...]:
        fine = self.layer1(self.layer0(x))
        middle = self.layer2(fine)
        coarse = self.layer3(middle)
        middle = self.layer5(ops.concat((ops.relu(self.layer4(coarse)), middle), 1))
        fine = self.layer7(ops.concat((ops.relu(self.layer6(middle)), fine), 1))
        raw = (self.head1_conv(coarse), self.head2_conv(middle), self.head3_conv(fine))
        if self.training or not self.decodes:
            return raw
        found: tuple[Tensor, ...] = ()
        for level, faces in enumerate(self.faces):
            boxes, scores = faces(raw[level])
            found = (*found, boxes, scores)
        return found


def facedetection(in_channels: int = 3, decode: bool = True) -> FaceDetection:
    """Face detector: float32 (B, in_channels, H, W) in 0..1 -> faces; H and W multiples of 64.

    In evaluation mode returns boxes and scores, see `Faces`, at 1/64, 1/32 and 1/16 in turn; in
    training mode the raw maps (B, 24, H / stride, W / stride).

    Args:
        in_channels: channels of the picture.
        decode: False leaves the maps undecoded in evaluation mode too.
    """
    return FaceDetection(in_channels, decode)
