"""ResNet-31, which several of MindOCR's readers of text lines see with.

Source: Lu et al., "MASTER: Multi-Aspect Non-local Network for Scene Text Recognition" (2019), whose
context is that of Cao et al., "GCNet" (2019). Parameter names are those of MindOCR's MASTER.
"""

from __future__ import annotations

from mindspore import Tensor, nn, ops
from mindspore import dtype as mstype

from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.dense import layer_norm
from zoohub.networks.layers.norm import BatchNorm2d
from zoohub.networks.layers.residual import BasicBlock, Numerics

CHANNELS = 512
_BLOCKS = (1, 2, 5, 3)
_WIDTHS = (256, 256, 512, CHANNELS)
_CONTEXT = (False, True, True, True)  # in the first block of a stage
_NORM_EPS = 1e-7  # MindSpore's own


class ChannelNorm(nn.Cell):
    """(B, C, 1, 1) -> the same shape, normalised over the channels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layer_norm = layer_norm(channels, _NORM_EPS)

    def construct(self, x: Tensor) -> Tensor:
        x = self.layer_norm(ops.flatten(x))
        return ops.expand_dims(ops.expand_dims(x, -1), -1)


class Context(nn.Cell):
    """What the whole picture holds, added to every place: (B, C, H, W) -> the same shape.

    It is summed in half precision where `half_precision` says so.
    """

    def __init__(self, channels: int, half_precision: bool) -> None:
        super().__init__()
        hidden = channels // 16
        self.conv_mask = conv2d(channels, 1, 1, bias=True)
        self.channel_add_conv = nn.SequentialCell(
            [
                conv2d(channels, hidden, 1, bias=True),
                ChannelNorm(hidden),
                nn.ReLU(),
                conv2d(hidden, channels, 1, bias=True),
            ]
        )
        self.dtype = mstype.float16 if half_precision else mstype.float32

    def construct(self, x: Tensor) -> Tensor:
        weights = ops.expand_dims(ops.softmax(ops.flatten(self.conv_mask(x)), 1), -1)
        places = ops.flatten(x, start_dim=2)
        context = ops.matmul(places.astype(self.dtype), weights.astype(self.dtype))
        context = context.astype(mstype.float32)
        return x + self.channel_add_conv(ops.expand_dims(context, -1))


class ContextBlock(BasicBlock):
    """Two 3×3 convolutions and the context: (B, in_channels, H, W) -> (B, channels, H, W)."""

    def __init__(self, in_channels: int, channels: int, half_precision: bool) -> None:
        super().__init__(in_channels, channels, 1, Numerics())
        self.context_block = Context(channels, half_precision)

    def construct(self, x: Tensor) -> Tensor:
        y = ops.relu(self.bn1(self.conv1(x)))
        y = self.context_block(self.bn2(self.conv2(y)))
        identity = x if self.down_sample is None else self.down_sample(x)
        return ops.relu(y + identity)


class ResNet31(nn.Cell):
    """(B, in_channels, H, W) -> (B, 512, H / 8, W / 4), of `square` pictures (…, W / 8).

    With `context` three of the stages add what the whole picture holds.
    """

    def __init__(
        self,
        in_channels: int,
        context: bool,
        square: bool = False,
        half_precision: bool = False,
    ) -> None:
        super().__init__()
        self.conv1 = conv2d(in_channels, 64, 3)
        self.bn1 = BatchNorm2d(64)
        self.conv2 = conv2d(64, 128, 3)
        self.bn2 = BatchNorm2d(128)
        width = 128
        stages = zip(_BLOCKS, _WIDTHS, _CONTEXT, strict=True)
        for stage, (count, channels, first) in enumerate(stages, start=1):
            blocks: list[nn.Cell] = []
            for index in range(count):
                if context and first and index == 0:
                    blocks.append(ContextBlock(width, channels, half_precision))
                else:
                    blocks.append(BasicBlock(width, channels, 1, Numerics()))
                width = channels
            setattr(self, f"layer{stage}", nn.SequentialCell(blocks))
            setattr(self, f"conv{stage + 2}", conv2d(width, width, 3))
            setattr(self, f"bn{stage + 2}", BatchNorm2d(width))
        self.halve = nn.MaxPool2d(2, 2, "same")
        last = (2, 2) if square else (2, 1)
        self.flatten = nn.MaxPool2d(last, last, "same")

    def construct(self, x: Tensor) -> Tensor:
        x = ops.relu(self.bn1(self.conv1(x)))
        x = self.halve(ops.relu(self.bn2(self.conv2(x))))
        x = self.halve(ops.relu(self.bn3(self.conv3(self.layer1(x)))))
        x = self.flatten(ops.relu(self.bn4(self.conv4(self.layer2(x)))))
        x = ops.relu(self.bn5(self.conv5(self.layer3(x))))
        return ops.relu(self.bn6(self.conv6(self.layer4(x))))
