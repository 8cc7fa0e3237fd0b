"""The heads of SSD, and the bricks they are made of.

Source: Liu et al., "SSD: Single Shot MultiBox Detector" (2016); the shared head after Lin et al.,
"Focal Loss for Dense Object Detection" (2017). Parameter names are those of the MindSpore models
repository.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.default_boxes import flatten
from zoohub.networks.layers.norm import BatchNorm2d


def norm(channels: int) -> BatchNorm2d:
    """SSD's own batch norm; the backbones of other families keep theirs."""
    return BatchNorm2d(channels, eps=1e-3, momentum=0.97)


class ConvNorm(nn.Cell):
    """Convolution, batch norm, activation; the convolution may be one that others use too.

    (B, in_channels, H, W) -> (B, out_channels, H / stride, W / stride).
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int = 3,
        stride: int = 1,
        groups: int = 1,
        shared: nn.Conv2d | None = None,
        act: Callable[[], nn.Cell] = nn.ReLU6,
    ) -> None:
        super().__init__()
        conv = shared or conv2d(in_channels, out_channels, kernel, stride, "same", groups)
        self.features = nn.SequentialCell([conv, norm(out_channels), act()])

    def construct(self, x: Tensor) -> Tensor:
        return self.features(x)


class InvertedResidual(nn.Cell):
    """MobileNetV2's block: expand to `hidden` channels, filter each by itself, project.

    (B, in_channels, H, W) -> (B, out_channels, H / stride, W / stride). No expansion where `hidden`
    is None. `act` makes the activations inside; `relu` puts a ReLU6 behind.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        stride: int,
        hidden: int | None,
        relu: bool,
        act: Callable[[], nn.Cell] = nn.ReLU6,
    ) -> None:
        super().__init__()
        inner = in_channels if hidden is None else hidden
        expand = [] if hidden is None else [ConvNorm(in_channels, inner, 1, act=act)]
        self.conv = nn.SequentialCell(
            [
                *expand,
                ConvNorm(inner, inner, 3, stride, groups=inner, act=act),
                conv2d(inner, out_channels, 1, 1, "same"),
                norm(out_channels),
            ]
        )
        self.shortcut = stride == 1 and in_channels == out_channels
        self.relu = relu

    def construct(self, x: Tensor) -> Tensor:
        y = self.conv(x)
        if self.shortcut:
            y = x + y
        return ops.relu6(y) if self.relu else y


def _prediction(channels: int, outputs: int, full: bool) -> nn.SequentialCell:
    """A 3×3 convolution, over each channel by itself unless `full`, and a 1×1."""
    return nn.SequentialCell(
        [
            conv2d(channels, channels, 3, 1, "same", 1 if full else channels),
            norm(channels),
            nn.ReLU6(),
            conv2d(channels, outputs, 1, 1, "same", bias=True),
        ]
    )


class MultiBox(nn.Cell):
    """Two predictions a map: (B, boxes, 4) offsets and (B, boxes, classes) logits."""

    def __init__(
        self,
        channels: Sequence[int],
        boxes_per_cell: Sequence[int],
        num_classes: int,
        full: bool = False,
    ) -> None:
        super().__init__()
        levels = list(zip(channels, boxes_per_cell, strict=True))
        self.num_classes = num_classes
        self.multi_loc_layers = nn.CellList(
            [_prediction(width, 4 * boxes, full) for width, boxes in levels]
        )
        self.multi_cls_layers = nn.CellList(
            [_prediction(width, num_classes * boxes, full) for width, boxes in levels]
        )

    def construct(self, maps: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
        offsets: tuple[Tensor, ...] = ()
        logits: tuple[Tensor, ...] = ()
        for level, predict in enumerate(self.multi_loc_layers):
            offsets = (*offsets, predict(maps[level]))
            logits = (*logits, self.multi_cls_layers[level](maps[level]))
        return flatten(offsets, 4), flatten(logits, self.num_classes)


class SharedMultiBox(nn.Cell):
    """`MultiBox` of four convolutions that all levels share, but for their batch norms."""

    def __init__(
        self, channels: int, levels: int, boxes_per_cell: int, num_classes: int, depth: int = 4
    ) -> None:
        super().__init__()
        self.num_classes = num_classes

        def towers() -> nn.CellList:
            convs = [conv2d(channels, channels, 3, 1, "same", bias=True) for _ in range(depth)]
            return nn.CellList(
                [
                    nn.SequentialCell([ConvNorm(channels, channels, shared=conv) for conv in convs])
                    for _ in range(levels)
                ]
            )

        def predict(outputs: int) -> nn.SequentialCell:
            return nn.SequentialCell([conv2d(channels, outputs, 3, 1, "same", bias=True)])

        self.addition_layer_loc = towers()
        self.addition_layer_cls = towers()
        self.loc_layers = predict(4 * boxes_per_cell)
        self.cls_layers = predict(num_classes * boxes_per_cell)

    def construct(self, maps: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
        offsets: tuple[Tensor, ...] = ()
        logits: tuple[Tensor, ...] = ()
        for level, tower in enumerate(self.addition_layer_loc):
            offsets = (*offsets, self.loc_layers(tower(maps[level])))
            logits = (*logits, self.cls_layers(self.addition_layer_cls[level](maps[level])))
        return flatten(offsets, 4), flatten(logits, self.num_classes)
