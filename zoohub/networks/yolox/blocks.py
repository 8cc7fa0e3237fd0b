"""The blocks and the head of YOLOX.

Source: Ge et al., "YOLOX: Exceeding YOLO Series in 2021" (2021); parameter names are those of
mindyolo's checkpoints.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.anchor_head import cell_offsets
from zoohub.networks.layers.conv import Activation, ConvNormAct
from zoohub.networks.layers.csp import C3
from zoohub.networks.layers.reorg import quarters


class Focus(nn.Cell):
    """Every 2×2 pixels become one of four times the channels, then a convolution."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int) -> None:
        super().__init__()
        self.conv = ConvNormAct(4 * in_channels, out_channels, kernel)

    def construct(self, x: Tensor) -> Tensor:
        return self.conv(quarters(x))


class LightConv(nn.Cell):
    """A convolution over each channel by itself, then a 1×1: nano's in place of `ConvNormAct`."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        self.dconv = ConvNormAct(in_channels, in_channels, kernel, stride, groups=in_channels)
        self.pconv = ConvNormAct(in_channels, out_channels)

    def construct(self, x: Tensor) -> Tensor:
        return self.pconv(self.dconv(x))


class LightBottleneck(nn.Cell):
    """A 1×1 and a light 3×3 convolution, added to the input where `shortcut` is set."""

    def __init__(self, channels: int, shortcut: bool) -> None:
        super().__init__()
        self.conv1 = ConvNormAct(channels, channels)
        self.conv2 = LightConv(channels, channels, 3)
        self.shortcut = shortcut

    def construct(self, x: Tensor) -> Tensor:
        y = self.conv2(self.conv1(x))
        return x + y if self.shortcut else y


def light_c3(in_channels: int, out_channels: int, repeats: int, shortcut: bool = True) -> C3:
    """A C3 block of light bottlenecks."""
    return C3(
        in_channels, out_channels, repeats, block=lambda hidden: LightBottleneck(hidden, shortcut)
    )


class DecoupledHead(nn.Cell):
    """Two branches a level, one for the classes and one for box and objectness; no anchors.

    Takes a tuple of feature maps (B, C_i, H_i, W_i), from fine to coarse. Raw maps are (B, 5 +
    classes, H_i, W_i): x, y, the logarithms of width and height, objectness and classes before the
    sigmoid. In training mode, or with `decode` False, returns the tuple of raw maps; in evaluation
    mode `(decoded, raw maps)`: decoded is (B, sum of H_i·W_i, 5 + classes) of the box's centre,
    width and height in pixels of the input, objectness and class scores from 0 to 1.
    """

    def __init__(
        self,
        channels: Sequence[int],
        num_classes: int,
        hidden: int,
        decode: bool = True,
        light: bool = False,
        act: Activation = nn.SiLU,
    ) -> None:
        super().__init__()
        self.decodes = decode
        self.strides = tuple(float(8 * 2**level) for level in range(len(channels)))
        conv = LightConv if light else partial(ConvNormAct, act=act)

        def each(make: Callable[[int], nn.Cell]) -> nn.CellList:
            return nn.CellList([make(width) for width in channels])

        def two(width: int) -> nn.Cell:
            return nn.SequentialCell([conv(hidden, hidden, 3), conv(hidden, hidden, 3)])

        def prediction(outputs: int) -> nn.CellList:
            return each(lambda width: nn.Conv2d(hidden, outputs, 1, has_bias=True))

        self.stems = each(lambda width: ConvNormAct(width, hidden, act=act))
        self.cls_convs = each(two)
        self.reg_convs = each(two)
        self.cls_preds = prediction(num_classes)
        self.reg_preds = prediction(4)
        self.obj_preds = prediction(1)

    def construct(self, features: tuple[Tensor, ...]) -> tuple[object, ...]:
        raw: tuple[Tensor, ...] = ()
        decoded: tuple[Tensor, ...] = ()
        for level, stem in enumerate(self.stems):
            x = stem(features[level])
            classes = self.cls_preds[level](self.cls_convs[level](x))
            box = self.reg_convs[level](x)
            out = ops.concat((self.reg_preds[level](box), self.obj_preds[level](box), classes), 1)
            raw = (*raw, out)
            if self.decodes and not self.training:
                decoded = (*decoded, self.decode(out, level))
        return (ops.concat(decoded, 1), raw) if self.decodes and not self.training else raw

    def decode(self, raw: Tensor, level: int) -> Tensor:
        """One level's boxes in pixels and scores: (B, H·W, 5 + classes)."""
        _, values, height, width = raw.shape
        rows = ops.transpose(raw, (0, 2, 3, 1))
        x = rows[..., 0:1] + cell_offsets(width, (1, 1, width, 1))
        y = rows[..., 1:2] + cell_offsets(height, (1, height, 1, 1))
        box = ops.concat((x, y, ops.exp(rows[..., 2:4])), -1) * self.strides[level]
        found = ops.concat((box, ops.sigmoid(rows[..., 4:])), -1)
        return ops.reshape(found, (-1, height * width, values))
