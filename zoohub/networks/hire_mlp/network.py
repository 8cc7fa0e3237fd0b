"""Hire-MLP of every size.

Source: Guo et al., "Hire-MLP: Vision MLP via Hierarchical Rearrangement" (2022). Parameter names
are those of the models repository (research/cv/HireMLP).
"""

from __future__ import annotations

from collections.abc import Sequence

from mindspore import Tensor, nn, ops
from mindspore.ops import functional

from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.crop import crop
from zoohub.networks.layers.dense import dense
from zoohub.networks.layers.drop_path import DropPath, drop_path_rates
from zoohub.networks.layers.features import FeatureMap, check_out_indices
from zoohub.networks.layers.mixing import mix_branches
from zoohub.networks.layers.mlp import ConvMlp
from zoohub.networks.layers.norm import BatchNorm2d
from zoohub.networks.layers.pooling import GlobalAvgPool


class HireModule(nn.Cell):
    """Dense layers over regions of rows, of columns, and over channels: shapes stay.

    `region` rows make one; before, everything moves by `step` rows around the edge, and back.
    """

    def __init__(self, channels: int, region: int, step: int, dropout: float) -> None:
        super().__init__()
        self.region, self.step = region, step
        wide, narrow = channels * region, channels // 2
        self.mlp_h1 = conv2d(wide, narrow, 1)
        self.mlp_h1_norm = BatchNorm2d(narrow)
        self.mlp_h2 = conv2d(narrow, wide, 1, bias=True)
        self.mlp_w1 = conv2d(wide, narrow, 1)
        self.mlp_w1_norm = BatchNorm2d(narrow)
        self.mlp_w2 = conv2d(narrow, wide, 1, bias=True)
        self.mlp_c = conv2d(channels, channels, 1, bias=True)
        self.reweight = ConvMlp(channels, channels // 4, 3 * channels)
        self.proj = conv2d(channels, channels, 1, bias=True)
        self.proj_drop = nn.Dropout(p=dropout)

    def construct(self, x: Tensor) -> Tensor:
        down = self.gather(x)
        down = self.mlp_h2(ops.relu(self.mlp_h1_norm(self.mlp_h1(down))))
        down = self.scatter(down, x.shape[2])
        across = self.gather(ops.transpose(x, (0, 1, 3, 2)))
        across = self.mlp_w2(ops.relu(self.mlp_w1_norm(self.mlp_w1(across))))
        across = ops.transpose(self.scatter(across, x.shape[3]), (0, 1, 3, 2))
        mixed = mix_branches(down, across, self.mlp_c(x), self.reweight)
        return self.proj_drop(self.proj(mixed))

    def gather(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C · region, ceil(H / region), W), rows from the start fill it up."""
        if self.step:
            x = ops.concat((x[:, :, self.step :], x[:, :, : self.step]), 2)
        _, channels, height, width = x.shape
        rows = (height + self.region - 1) // self.region
        if not functional.isconstant(height) or rows * self.region != height:
            x = ops.concat((x, x[:, :, : self.region - 1]), 2)[:, :, : rows * self.region]
        x = ops.reshape(x, (-1, channels, rows, self.region, width))
        x = ops.transpose(x, (0, 1, 3, 2, 4))
        return ops.reshape(x, (-1, channels * self.region, x.shape[3], width))

    def scatter(self, x: Tensor, height: int) -> Tensor:
        """Undoes `gather`."""
        _, wide, rows, width = x.shape
        x = ops.reshape(x, (-1, wide // self.region, self.region, rows, width))
        x = ops.transpose(x, (0, 1, 3, 2, 4))
        x = ops.reshape(x, (-1, wide // self.region, rows * self.region, width))
        x = crop(x, 0, 0, height, width)
        if self.step:
            x = ops.concat((x[:, :, -self.step :], x[:, :, : -self.step]), 2)
        return x


class HireBlock(nn.Cell):
    """Regions, then an MLP, each after a norm and added: (B, C, H, W) -> the same shape."""

    def __init__(
        self,
        channels: int,
        mlp_ratio: float,
        region: int,
        step: int,
        exact_gelu: bool,
        dropout: float,
        drop_path: float,
    ) -> None:
        super().__init__()
        self.norm1 = BatchNorm2d(channels)
        self.attn = HireModule(channels, region, step, dropout)
        self.norm2 = BatchNorm2d(channels)
        self.mlp = ConvMlp(channels, int(channels * mlp_ratio), None, dropout, exact_gelu)
        self.drop_path = DropPath(drop_path)

    def construct(self, x: Tensor) -> Tensor:
        x = x + self.drop_path(self.attn(self.norm1(x)))
        return x + self.drop_path(self.mlp(self.norm2(x)))


class ConvNormRelu(nn.Cell):
    """A convolution that strides, a batch norm, ReLU."""

    def __init__(
        self, in_channels: int, channels: int, kernel: int, stride: int, padding: int
    ) -> None:
        super().__init__()
        self.proj = conv2d(in_channels, channels, kernel, stride, padding, bias=True)
        self.norm = BatchNorm2d(channels)

    def construct(self, x: Tensor) -> Tensor:
        return ops.relu(self.norm(self.proj(x)))


class HireMLP(nn.Cell):
    """(B, in_channels, H, W) -> logits (B, num_classes), or the maps of `out_indices`."""

    def __init__(
        self,
        depths: Sequence[int],
        widths: Sequence[int],
        mlp_ratios: Sequence[float],
        regions: Sequence[int],
        step_strides: Sequence[int],
        step_dilations: Sequence[int],
        num_classes: int,
        in_channels: int,
        exact_gelu: bool,
        dropout: float,
        drop_path: float,
        out_indices: tuple[int, ...] | None,
    ) -> None:
        super().__init__()
        self.out_indices = out_indices
        self.patch_embed = ConvNormRelu(in_channels, widths[0], 7, 4, 2)
        rates = drop_path_rates(drop_path, sum(depths))
        network: list[nn.Cell] = []
        start = 0
        for stage, depth in enumerate(depths):
            if stage:
                network.append(ConvNormRelu(widths[stage - 1], widths[stage], 3, 2, 1))
            blocks = []
            for index in range(depth):
                step = index % step_strides[stage] * step_dilations[stage]
                options = (widths[stage], mlp_ratios[stage], regions[stage], step, exact_gelu)
                blocks.append(HireBlock(*options, dropout, rates[start + index]))
            network.append(nn.SequentialCell(blocks))
            start += depth
        self.network = nn.CellList(network)
        self.feature_info = tuple(FeatureMap(widths[i], 4 * 2**i) for i in out_indices or ())
        if out_indices is None:
            self.norm = BatchNorm2d(widths[-1])
            self.pool = GlobalAvgPool()
            self.head = dense(widths[-1], num_classes)

    def construct(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        x = self.patch_embed(x)
        maps: tuple[Tensor, ...] = ()
        for index, layer in enumerate(self.network):
            x = layer(x)
            if self.out_indices is not None and index / 2 in self.out_indices:
                maps = (*maps, x)
        if self.out_indices is not None:
            return maps
        return self.head(self.pool(self.norm(x)))


def hire_mlp(
    depths: Sequence[int] = (2, 2, 4, 2),
    embed_dims: Sequence[int] = (64, 128, 320, 512),
    mlp_ratios: Sequence[float] = (4.0, 4.0, 4.0, 4.0),
    regions: Sequence[int] = (4, 3, 3, 2),
    step_strides: Sequence[int] = (2, 2, 3, 2),
    step_dilations: Sequence[int] = (2, 2, 1, 1),
    num_classes: int = 1000,
    in_channels: int = 3,
    exact_gelu: bool = False,
    dropout: float = 0.0,
    drop_path: float = 0.0,
    features_only: bool = False,
    out_indices: Sequence[int] = (0, 1, 2, 3),
) -> HireMLP:
    """Hire-MLP: float32 (B, in_channels, H, W) -> logits (B, num_classes).

    Args:
        depths: blocks of each of the four stages.
        embed_dims: channels of each.
        mlp_ratios: hidden channels of each stage's MLPs, in multiples of its channels.
        regions: rows, and columns, that one dense layer is over, by stage.
        step_strides: after how many blocks the shifts of a stage begin again.
        step_dilations: by how many rows each block shifts further.
        num_classes: outputs of the classifier.
        in_channels: channels of the picture.
        exact_gelu: GELU by the error function in place of tanh.
        dropout: share of values set to zero in training.
        drop_path: share of samples whose last block is skipped in training.
        features_only: leave out norm and classifier and return a tuple of feature maps.
        out_indices: which stages' maps: at 1/4, 1/8, 1/16, 1/32 of the picture's size.

    Raises:
        ValueError: stages that differ in number, or one that does not exist.
    """
    if len({len(depths), len(embed_dims), len(mlp_ratios), len(regions)}) > 1:
        raise ValueError("the arguments of stages should be for the same number of them")
    return HireMLP(
        depths,
        embed_dims,
        mlp_ratios,
        regions,
        step_strides,
        step_dilations,
        num_classes,
        in_channels,
        exact_gelu,
        dropout,
        drop_path,
        check_out_indices(out_indices, len(depths)) if features_only else None,
    )
