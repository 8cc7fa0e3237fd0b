"""U²-Net, as the MindSpore models repository publishes it.

Source: Qin et al., "U²-Net: Going Deeper with Nested U-Structure for Salient Object Detection"
(2020), in the form of the models repository (research/cv/u2net), whose parameter names these are.
"""

from __future__ import annotations

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.norm import BatchNorm2d

# Of each stage: its name, input channels, channels inside, output channels, and how many levels
# its own U has; 0: none, its convolutions are spaced out instead.
_DOWN = (
    ("stage1", 3, 32, 64, 7),
    ("stage2", 64, 32, 128, 6),
    ("stage3", 128, 64, 256, 5),
    ("stage4", 256, 128, 512, 4),
    ("stage5", 512, 256, 512, 0),
    ("stage6", 512, 256, 512, 0),
)
_UP = (
    ("stage5d", 1024, 256, 512, 0),
    ("stage4d", 1024, 128, 256, 4),
    ("stage3d", 512, 64, 128, 5),
    ("stage2d", 256, 32, 64, 6),
    ("stage1d", 128, 16, 64, 7),
)
_SIDES = (64, 64, 128, 256, 512, 512)


def halve() -> nn.Cell:
    """Max pooling to half of the size, rounded up."""
    return nn.MaxPool2d(2, 2, pad_mode="same")


class Convolution(nn.Cell):
    """3×3 convolution with spacing, batch norm, ReLU."""

    def __init__(self, in_channels: int, channels: int, dilation: int = 1) -> None:
        super().__init__()
        self.conv_s1 = conv2d(in_channels, channels, 3, bias=True, dilation=dilation)
        self.bn_s1 = BatchNorm2d(channels)

    def construct(self, x: Tensor) -> Tensor:
        return ops.relu(self.bn_s1(self.conv_s1(x)))


class Block(nn.Cell):
    """A small U of `levels` convolutions down and as many less one up, added to its first map.

    Without levels it has four, all of the input's size, that see 1, 2, 4 and 8 pixels apart.
    """

    def __init__(self, in_channels: int, hidden: int, channels: int, levels: int) -> None:
        super().__init__()
        self.spaced = levels == 0
        self.levels = levels or 4
        self.rebnconvin = Convolution(in_channels, channels)
        down, up = [], []
        for level in range(1, self.levels + 1):
            width = channels if level == 1 else hidden
            down.append(Convolution(width, hidden, self.spacing(level)))
            setattr(self, f"rebnconv{level}", down[-1])
        for level in range(self.levels - 1, 0, -1):
            width = channels if level == 1 else hidden
            up.append(Convolution(2 * hidden, width, self.spacing(level) if self.spaced else 1))
            setattr(self, f"rebnconv{level}d", up[-1])
        # The same cells in the order in which they compute.
        self.down, self.up = tuple(down), tuple(up)
        self.pool = halve()
        self.resize = ops.auto_generate.ResizeBilinearV2(False, False)

    def spacing(self, level: int) -> int:
        """How far apart a level's convolution sees."""
        if self.spaced:
            return 2 ** (level - 1)
        return 2 if level == self.levels else 1

    def construct(self, x: Tensor) -> Tensor:
        whole = self.rebnconvin(x)
        y = whole
        down: tuple[Tensor, ...] = ()
        for place, conv in enumerate(self.down):
            # The last is as large as the one before it.
            pooled = not self.spaced and 0 < place < self.levels - 1
            y = conv(self.pool(y) if pooled else y)
            down = (*down, y)
        for place, conv in enumerate(self.up):
            beside = down[self.levels - 2 - place]
            if not self.spaced and place > 0:
                y = self.resize(y, beside.shape[2:])
            y = conv(ops.concat((y, beside), 1))
        return y + whole


class U2Net(nn.Cell):
    """(B, in_channels, H, W) -> seven saliency maps (B, 7, H, W)."""

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        for place, (name, inputs, hidden, channels, levels) in enumerate((*_DOWN, *_UP)):
            width = in_channels if place == 0 else inputs
            setattr(self, name, Block(width, hidden, channels, levels))
        for level, width in enumerate(_SIDES, start=1):
            setattr(self, f"side{level}", conv2d(width, 1, 3, bias=True))
        self.outconv = conv2d(len(_SIDES), 1, 1, bias=True)
        self.pool = halve()
        self.resize = ops.auto_generate.ResizeBilinearV2(False, False)

    def construct(self, x: Tensor) -> Tensor:
        size = x.shape[2:]
        one = self.stage1(x)
        two = self.stage2(self.pool(one))
        three = self.stage3(self.pool(two))
        four = self.stage4(self.pool(three))
        five = self.stage5(self.pool(four))
        six = self.stage6(self.pool(five))
        five = self.stage5d(self.join(six, five))
        four = self.stage4d(self.join(five, four))
        three = self.stage3d(self.join(four, three))
        two = self.stage2d(self.join(three, two))
        one = self.stage1d(self.join(two, one))
        sides = (
            self.side1(one),
            self.resize(self.side2(two), size),
            self.resize(self.side3(three), size),
            self.resize(self.side4(four), size),
            self.resize(self.side5(five), size),
            self.resize(self.side6(six), size),
        )
        fused = self.outconv(ops.concat(sides, 1))
        return ops.sigmoid(ops.concat((fused, *sides), 1))

    def join(self, coarse: Tensor, fine: Tensor) -> Tensor:
        """A coarse map brought to a finer one's size, and that."""
        return ops.concat((self.resize(coarse, fine.shape[2:]), fine), 1)


def u2net(in_channels: int = 3) -> U2Net:
    """U²-Net: float32 (B, in_channels, H, W) -> (B, 7, H, W), from 0 to 1.

    The first map says how salient each pixel is; the others are those of the six levels, which
    training looks at too.

    Args:
        in_channels: channels of the picture.
    """
    return U2Net(in_channels)
