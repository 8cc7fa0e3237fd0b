"""GENet: blocks weighted by what is gathered over a wide neighbourhood, here the whole picture.

Source: Hu et al., "Gather-Excite: Exploiting Feature Context in CNNs" (2018). Parameter names are
those of the MindSpore models repository. With `gather` "learned" the network is made for one size
of picture: the last gathering convolution is as large as its map.
"""

from __future__ import annotations

from collections.abc import Sequence

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.features import check_out_indices
from zoohub.networks.layers.norm import BatchNorm2d
from zoohub.networks.layers.residual import ResidualNetwork, blocks_of, classifier

DEPTHS = (50, 101, 152)
_STEM_EPS = 1e-4
_REDUCTION = 16
# Maps larger than this are halved before they are gathered.
_LARGEST = 28


class ConvNorm(nn.Cell):
    """(B, in_channels, H, W) -> (B, out_channels, H / stride, W / stride)."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = conv2d(in_channels, out_channels, kernel, stride, "same")
        self.batchnorm = BatchNorm2d(out_channels)

    def construct(self, x: Tensor) -> Tensor:
        return self.batchnorm(self.conv(x))


def _gathering(channels: int, size: int) -> nn.SequentialCell:
    """(B, channels, size, size) -> (B, channels, 1, 1)."""
    cells: list[nn.Cell] = []
    if size > _LARGEST:
        cells = [conv2d(channels, channels, 3, 2, "same"), BatchNorm2d(channels)]
        size = (size + 1) // 2
    whole = nn.Conv2d(channels, channels, size, pad_mode="valid", group=channels)
    return nn.SequentialCell([*cells, whole, BatchNorm2d(channels)])


class GatherExciteBlock(nn.Cell):
    """(B, in_channels, H, W) -> (B, 4 channels, H / stride, W / stride).

    `size` is the result's height and width, None where gathering is a mean.
    """

    def __init__(
        self, in_channels: int, channels: int, stride: int, size: int | None, mixes: bool
    ) -> None:
        super().__init__()
        out_channels = 4 * channels
        self.conv1 = ConvNorm(in_channels, channels, 1)
        self.conv2 = ConvNorm(channels, channels, 3, stride)
        self.conv3 = ConvNorm(channels, out_channels, 1)
        changes = stride != 1 or in_channels != out_channels
        self.down_layer = ConvNorm(in_channels, out_channels, 1, stride) if changes else None
        self.downop = None if size is None else _gathering(out_channels, size)
        hidden = out_channels // _REDUCTION
        mixing = [conv2d(out_channels, hidden, 1), nn.ReLU(), conv2d(hidden, out_channels, 1)]
        self.mlpLayer = nn.SequentialCell(mixing) if mixes else None

    def construct(self, x: Tensor) -> Tensor:
        y = ops.relu(self.conv1(x))
        y = self.conv3(ops.relu(self.conv2(y)))
        gathered = ops.mean(y, (2, 3), True) if self.downop is None else self.downop(y)
        if self.mlpLayer is not None:
            gathered = self.mlpLayer(gathered)
        y = y * ops.sigmoid(gathered)
        return ops.relu(y + (x if self.down_layer is None else self.down_layer(x)))


class GENet(ResidualNetwork):
    """(B, in_channels, H, W) -> logits (B, num_classes), or the feature maps of `out_indices`."""

    def __init__(
        self,
        depth: int,
        sizes: Sequence[int | None],
        mixes: bool,
        num_classes: int,
        in_channels: int,
        out_indices: tuple[int, ...] | None,
    ) -> None:
        super().__init__()
        self.conv1 = conv2d(in_channels, 64, 7, 2, "same")
        self.bn1 = BatchNorm2d(64, _STEM_EPS)
        self.max_pool = nn.MaxPool2d(3, 2, pad_mode="same")
        width = self.add_stages(
            lambda inputs, channels, stride, place: GatherExciteBlock(
                inputs, channels, stride, sizes[place.stage], mixes
            ),
            blocks_of("genet", depth, DEPTHS),
            64,
            out_indices,
        )
        if out_indices is None:
            self.end_point = classifier(width, num_classes)

    def head(self, x: Tensor) -> Tensor:
        return self.end_point(ops.mean(x, (2, 3)))


def genet(
    depth: int = 50,
    gather: str = "mean",
    mix: bool = False,
    num_classes: int = 1000,
    in_channels: int = 3,
    image_size: int = 224,
    features_only: bool = False,
    out_indices: Sequence[int] = (0, 1, 2, 3, 4),
) -> GENet:
    """GENet: float32 (B, in_channels, H, W) -> logits (B, num_classes).

    Args:
        depth: 50, 101 or 152.
        gather: "mean" (the paper's θ-minus) or "learned" (θ).
        mix: two 1×1 convolutions after gathering (θ-plus).
        num_classes: outputs of the classifier.
        in_channels: channels of the picture.
        image_size: height and width of the pictures, which "learned" is made for.
        features_only: leave out the classifier and return a tuple of feature maps.
        out_indices: which maps: 0 is the stem before pooling (1/2 of the size), 1 to 4 are the
            stages (1/4, 1/8, 1/16, 1/32).

    Raises:
        ValueError: an unknown depth, gathering or feature index.
    """
    if gather not in ("mean", "learned"):
        raise ValueError(f'gather is "mean" or "learned", not {gather!r}')
    learned = gather == "learned"
    sizes = [-(-image_size // 2**power) if learned else None for power in range(2, 6)]
    indices = check_out_indices(out_indices, 5) if features_only else None
    return GENet(depth, sizes, mix, num_classes, in_channels, indices)
