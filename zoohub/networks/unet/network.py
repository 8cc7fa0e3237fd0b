"""U-Net in the three forms the MindSpore models repository publishes (official/cv/unet).

Sources: Ronneberger et al., "U-Net: Convolutional Networks for Biomedical Image Segmentation"
(2015), which is `medical`; Zhou et al., "UNet++: Redesigning Skip Connections to Exploit Multiscale
Features in Image Segmentation" (2019), which is `nested`; `simple` is a U-Net of UNet++'s blocks.
Parameter names are those of the models repository.
"""

from __future__ import annotations

from mindspore import Tensor, nn, ops
from mindspore.common.initializer import TruncatedNormal

from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.crop import crop
from zoohub.networks.layers.norm import BatchNorm2d

_LEVELS = 5
_BASE_CHANNELS = {"medical": 64, "simple": 32, "nested": 32}


def _double(in_channels: int) -> nn.Conv2dTranspose:
    """(B, C, H, W) -> (B, C / 2, 2H, 2W)."""
    return nn.Conv2dTranspose(in_channels, in_channels // 2, 2, 2, pad_mode="same")


# --- medical: the paper's, without padding -------------------------------------------------------


class ValidConvs(nn.Cell):
    """Two 3×3 convolutions without padding: (B, in, H, W) -> (B, out, H - 4, W - 4)."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        layers: list[nn.Cell] = []
        for channels in (in_channels, out_channels):
            init = TruncatedNormal(0.06)
            conv = conv2d(channels, out_channels, 3, padding=0, bias=True, weight_init=init)
            layers += [conv, nn.ReLU()]
        self.double_conv = nn.SequentialCell(layers)

    def construct(self, x: Tensor) -> Tensor:
        return self.double_conv(x)


class Down(nn.Cell):
    """Half of the size, twice the channels."""

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.maxpool_conv = nn.SequentialCell(
            [nn.MaxPool2d(2, 2), ValidConvs(in_channels, 2 * in_channels)]
        )

    def construct(self, x: Tensor) -> Tensor:
        return self.maxpool_conv(x)


class Up(nn.Cell):
    """Twice the size, half of the channels, beside the middle of the map of the way down."""

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.conv = ValidConvs(in_channels, in_channels // 2)
        self.up = _double(in_channels)

    def construct(self, x: Tensor, skip: Tensor) -> Tensor:
        x = ops.relu(self.up(x))
        height, width = x.shape[2:]
        top, left = (skip.shape[2] - height) // 2, (skip.shape[3] - width) // 2
        middle = crop(skip, top, left, height, width)
        return self.conv(ops.concat((x, middle), 1))


class Pixelwise(nn.Cell):
    """Each pixel's classes: a 1×1 convolution."""

    def __init__(self, in_channels: int, num_classes: int) -> None:
        super().__init__()
        self.conv = conv2d(
            in_channels, num_classes, 1, bias=True, weight_init=TruncatedNormal(0.06)
        )

    def construct(self, x: Tensor) -> Tensor:
        return self.conv(x)


class MedicalUNet(nn.Cell):
    """(B, in_channels, H, W) -> logits (B, num_classes, H - 184, W - 184) of the middle."""

    def __init__(self, num_classes: int, in_channels: int, base_channels: int) -> None:
        super().__init__()
        widths = [base_channels * 2**level for level in range(_LEVELS)]
        self.inc = ValidConvs(in_channels, widths[0])
        self.down1, self.down2, self.down3, self.down4 = [Down(width) for width in widths[:-1]]
        self.up1, self.up2, self.up3, self.up4 = [Up(width) for width in widths[:0:-1]]
        self.outc = Pixelwise(widths[0], num_classes)

    def construct(self, x: Tensor) -> Tensor:
        first = self.inc(x)
        second = self.down1(first)
        third = self.down2(second)
        fourth = self.down3(third)
        x = self.up1(self.down4(fourth), fourth)
        x = self.up2(x, third)
        x = self.up3(x, second)
        return self.outc(self.up4(x, first))


# --- simple and nested: padded, so that maps have the picture's size -----------------------------


class SameConvs(nn.Cell):
    """Two 3×3 convolutions, each with a ReLU and perhaps a batch norm before it.

    (B, in_channels, H, W) -> (B, out_channels, H, W).
    """

    def __init__(self, in_channels: int, out_channels: int, batch_norm: bool) -> None:
        super().__init__()
        steps = []
        for channels in (in_channels, out_channels):
            norm = [BatchNorm2d(out_channels)] if batch_norm else []
            steps.append(
                nn.SequentialCell([conv2d(channels, out_channels, 3, 1, "same"), *norm, nn.ReLU()])
            )
        self.convs = nn.SequentialCell(steps)

    def construct(self, x: Tensor) -> Tensor:
        return self.convs(x)


class UpConcat(nn.Cell):
    """Twice the size of the map below, beside `skips` maps of this level; no batch norm.

    (B, 2C, H / 2, W / 2) and `skips` times (B, C, H, W) -> (B, C, H, W).
    """

    def __init__(self, channels: int, skips: int) -> None:
        super().__init__()
        self.conv = SameConvs((1 + skips) * channels, channels, batch_norm=False)
        self.up_conv = _double(2 * channels)

    def construct(self, below: Tensor, skips: tuple[Tensor, ...]) -> Tensor:
        return self.conv(ops.concat((self.up_conv(below), *skips), 1))


class SimpleUNet(nn.Cell):
    """(B, in_channels, H, W) -> logits (B, num_classes, H, W)."""

    def __init__(
        self, num_classes: int, in_channels: int, base_channels: int, batch_norm: bool
    ) -> None:
        super().__init__()
        widths = [base_channels * 2**level for level in range(_LEVELS)]
        self.pool = nn.MaxPool2d(2, 2, pad_mode="same")
        self.conv0, self.conv1, self.conv2, self.conv3, self.conv4 = [
            SameConvs(channels, width, batch_norm)
            for channels, width in zip([in_channels, *widths[:-1]], widths, strict=True)
        ]
        self.up_concat1, self.up_concat2, self.up_concat3, self.up_concat4 = [
            UpConcat(width, skips=1) for width in widths[:-1]
        ]
        self.final = conv2d(widths[0], num_classes, 1)

    def construct(self, x: Tensor) -> Tensor:
        first = self.conv0(x)
        second = self.conv1(self.pool(first))
        third = self.conv2(self.pool(second))
        fourth = self.conv3(self.pool(third))
        x = self.up_concat4(self.conv4(self.pool(fourth)), (fourth,))
        x = self.up_concat3(x, (third,))
        x = self.up_concat2(x, (second,))
        return self.final(self.up_concat1(x, (first,)))


class NestedUNet(nn.Cell):
    """(B, in_channels, H, W) -> logits (B, num_classes, H, W).

    The grid of the paper: in column 0 the way down; each map of a later column sees all maps of
    its own level to the left, and the one a level below and a column to the left. Every column
    ends in a map of the picture's size and in logits; the last one's are the network's, or with
    `deep_supervision` all four, stacked: (4, B, num_classes, H, W).
    """

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        base_channels: int,
        batch_norm: bool,
        deep_supervision: bool,
    ) -> None:
        super().__init__()
        widths = [base_channels * 2**level for level in range(_LEVELS)]
        self.deep_supervision = deep_supervision
        self.pool = nn.MaxPool2d(2, 2, pad_mode="same")
        self.down = self._level_by_level(
            "conv{}0",
            [
                SameConvs(channels, width, batch_norm)
                for channels, width in zip([in_channels, *widths[:-1]], widths, strict=True)
            ],
        )
        self.columns = tuple(
            self._level_by_level(
                f"up_concat{{}}{column}",
                [UpConcat(width, skips=column) for width in widths[: _LEVELS - column]],
            )
            for column in range(1, _LEVELS)
        )
        self.final1, self.final2, self.final3, self.final4 = [
            conv2d(widths[0], num_classes, 1) for _ in range(4)
        ]

    def _level_by_level(self, name: str, cells: list[nn.Cell]) -> tuple[nn.Cell, ...]:
        """The cells, once they are this network's under the names that checkpoints have."""
        for level, cell in enumerate(cells):
            setattr(self, name.format(level), cell)
        return tuple(cells)

    def construct(self, x: Tensor) -> Tensor:
        below = x
        rows: tuple[tuple[Tensor, ...], ...] = ()  # of each level, its maps from left to right
        for level, convs in enumerate(self.down):
            below = convs(below if level == 0 else self.pool(below))
            rows = (*rows, (below,))
        for column in self.columns:
            longer: tuple[tuple[Tensor, ...], ...] = ()
            for level, up_concat in enumerate(column):
                new = up_concat(rows[level + 1][-1], rows[level])
                longer = (*longer, (*rows[level], new))
            rows = longer
        _, first, second, third, fourth = rows[0]
        if not self.deep_supervision:
            return self.final4(fourth)
        logits = (self.final1(first), self.final2(second), self.final3(third), self.final4(fourth))
        return ops.stack(logits, 0)


def unet(
    variant: str = "medical",
    num_classes: int = 2,
    in_channels: int = 1,
    base_channels: int | None = None,
    batch_norm: bool = True,
    deep_supervision: bool = False,
) -> MedicalUNet | SimpleUNet | NestedUNet:
    """U-Net: float32 (B, in_channels, H, W) -> logits (B, num_classes, H', W').

    `medical` pads nothing: of 572×572 pixels it gives 388×388, those in the middle, and so of any
    H = 16 n + 12 it gives H' = H - 184 (W alike). `simple` and `nested` give H' = H and W' = W,
    multiples of 16.

    Args:
        variant: "medical", "simple" or "nested".
        num_classes: classes, the background among them.
        in_channels: channels of the picture.
        base_channels: of the first level, each further one having twice as many; None: 64 of
            "medical", 32 of the others.
        batch_norm: whether the way down has batch norms ("medical" has none either way).
        deep_supervision: "nested" returns the logits of all four depths: (4, B, num_classes, H, W).

    Raises:
        ValueError: an unknown variant.
    """
    if variant not in _BASE_CHANNELS:
        raise ValueError(f"unet has variants {', '.join(_BASE_CHANNELS)}, not {variant!r}")
    width = _BASE_CHANNELS[variant] if base_channels is None else base_channels
    if variant == "medical":
        return MedicalUNet(num_classes, in_channels, width)
    if variant == "simple":
        return SimpleUNet(num_classes, in_channels, width, batch_norm)
    return NestedUNet(num_classes, in_channels, width, batch_norm, deep_supervision)
