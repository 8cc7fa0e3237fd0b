"""What ABINet sees: ResNet-45, a transformer over its map, and a glimpse for each character.

Source: Fang et al., "Read Like Humans: Autonomous, Bidirectional and Iterative Language Modeling
for Scene Text Recognition" (2021). Parameter names are those of MindOCR. Shapes: B pictures, T
characters, C channels.
"""

from __future__ import annotations

import math

from mindspore import Parameter, Tensor, nn, ops

from zoohub.networks.abinet.transformer import EncoderBlock
from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.norm import BatchNorm2d
from zoohub.networks.layers.sinusoids import sinusoids
from zoohub.networks.visionlan.backbone import CHANNELS, ResNet45

_STRIDES = (2, 1, 2, 1, 1)
_MINI = 64  # channels of the small pyramid that finds the characters


class Block(nn.Cell):
    """1×1, 3×3: (B, in_channels, H, W) -> (B, channels, H / stride, W / stride)."""

    def __init__(self, in_channels: int, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = conv2d(in_channels, channels, 1)
        self.bn1 = BatchNorm2d(channels)
        self.conv2 = conv2d(channels, channels, 3, stride)
        self.bn2 = BatchNorm2d(channels)
        fitted = stride > 1 or in_channels != channels
        self.downsample = (
            nn.SequentialCell([conv2d(in_channels, channels, 1, stride), BatchNorm2d(channels)])
            if fitted
            else nn.Identity()
        )

    def construct(self, x: Tensor) -> Tensor:
        y = ops.relu(self.bn1(self.conv1(x)))
        return ops.relu(self.bn2(self.conv2(y)) + self.downsample(x))


class Places(nn.Cell):
    """Places told by sines and cosines: `table` is (N, C)."""

    def __init__(self, places: int, channels: int) -> None:
        super().__init__()
        table = Tensor(sinusoids(places, channels)[:, None])
        self.pe = Parameter(table, name="pe", requires_grad=False)

    def construct(self) -> Tensor:
        return ops.squeeze(self.pe, 1)


class Seen(nn.Cell):
    """(B, in_channels, H, W) -> (B, C, H / 4, W / 4), each place aware of the others."""

    def __init__(self, in_channels: int, depth: int, hidden: int, places: int) -> None:
        super().__init__()
        self.resnet = ResNet45(in_channels, _STRIDES, Block)
        self.pos_encoder = Places(places, CHANNELS)
        self.transformer = Blocks([EncoderBlock(CHANNELS, hidden) for _ in range(depth)])

    def construct(self, x: Tensor) -> Tensor:
        maps = self.resnet(x)
        _, channels, high, wide = maps.shape
        rows = ops.transpose(ops.flatten(maps, start_dim=2), (0, 2, 1)) + self.pos_encoder()
        found = ops.transpose(self.transformer(rows), (0, 2, 1))
        return ops.reshape(found, (-1, channels, high, wide))


class Blocks(nn.Cell):
    """Blocks one after another, under the name `blocks`."""

    def __init__(self, blocks: list[nn.Cell]) -> None:
        super().__init__()
        self.blocks = nn.CellList(blocks)

    def construct(self, x: Tensor) -> Tensor:
        for block in self.blocks:
            x = block(x)
        return x


def _down(in_channels: int, stride: int | tuple[int, int]) -> nn.SequentialCell:
    conv = conv2d(in_channels, _MINI, 3, stride, bias=True)
    return nn.SequentialCell([conv, BatchNorm2d(_MINI), nn.ReLU()])


def _up(channels: int, times: tuple[int, int]) -> nn.SequentialCell:
    conv = conv2d(_MINI, channels, 3, bias=True)
    return nn.SequentialCell([Repeat(times), conv, BatchNorm2d(channels), nn.ReLU()])


class Repeat(nn.Cell):
    """(B, C, H, W) -> each pixel `times` in height and width."""

    def __init__(self, times: tuple[int, int]) -> None:
        super().__init__()
        self.times = times
        self.resize = ops.auto_generate.ResizeNearestNeighborV2()  # as `RepeatPixels`

    def construct(self, x: Tensor) -> Tensor:
        _, _, high, wide = x.shape
        size = (high * self.times[0], wide * self.times[1])
        return self.resize(x, size)


class Glimpses(nn.Cell):
    """(B, C, H, W) -> what each character is read from, (B, T, C)."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.k_encoder1 = _down(CHANNELS, (1, 2))
        self.k_encoder2 = _down(_MINI, 2)
        self.k_encoder3 = _down(_MINI, 2)
        self.k_encoder4 = _down(_MINI, 2)
        self.k_decoder1 = _up(_MINI, (2, 2))
        self.k_decoder2 = _up(_MINI, (2, 2))
        self.k_decoder3 = _up(_MINI, (2, 2))
        self.k_decoder4 = _up(CHANNELS, (1, 2))
        self.pos_encoder = Places(steps, CHANNELS)
        self.project = nn.Dense(CHANNELS, CHANNELS)
        self.scale = 1.0 / math.sqrt(CHANNELS)

    def construct(self, maps: Tensor) -> Tensor:
        fine = self.k_encoder1(maps)
        middle = self.k_encoder2(fine)
        coarse = self.k_encoder3(middle)
        key = self.k_decoder1(self.k_encoder4(coarse)) + coarse
        key = self.k_decoder2(key) + middle
        key = self.k_decoder4(self.k_decoder3(key) + fine)
        query = self.project(self.pos_encoder())
        found = ops.matmul(query, ops.flatten(key, start_dim=2)) * self.scale
        places = ops.transpose(ops.flatten(maps, start_dim=2), (0, 2, 1))
        return ops.matmul(ops.softmax(found, -1), places)


class Vision(nn.Cell):
    """(B, in_channels, H, W) -> features (B, T, C) and logits (B, T, num_classes)."""

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        steps: int,
        depth: int,
        hidden: int,
        places: int,
    ) -> None:
        super().__init__()
        self.backbone = Seen(in_channels, depth, hidden, places)
        self.attention = Glimpses(steps)
        self.cls = nn.Dense(CHANNELS, num_classes)

    def construct(self, x: Tensor) -> tuple[Tensor, Tensor]:
        features = self.attention(self.backbone(x))
        return features, self.cls(features)
