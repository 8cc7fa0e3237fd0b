"""Wave-MLP of every size.

Source: Tang et al., "An Image Patch is a Wave: Phase-Aware Vision MLP" (2022). Parameter names are
those of the models repository (research/cv/wave_mlp).
"""

from __future__ import annotations

from collections.abc import Sequence

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.dense import dense
from zoohub.networks.layers.drop_path import DropPath, drop_path_rates
from zoohub.networks.layers.features import FeatureMap, check_out_indices
from zoohub.networks.layers.map_norms import PictureNorm
from zoohub.networks.layers.mixing import mix_branches
from zoohub.networks.layers.mlp import ConvMlp
from zoohub.networks.layers.norm import BatchNorm2d
from zoohub.networks.layers.pooling import GlobalAvgPool

_REACH = 7  # places along a line that are mixed


def _norm(channels: int, batch: bool) -> nn.Cell:
    return BatchNorm2d(channels) if batch else PictureNorm(channels)


def _along(channels: int, across: bool) -> nn.Conv2d:
    """Amplitudes and phases of each channel, summed along a row or a column."""
    half = _REACH // 2
    return nn.Conv2d(
        2 * channels,
        channels,
        (1, _REACH) if across else (_REACH, 1),
        pad_mode="pad",
        padding=(0, 0, half, half) if across else (half, half, 0, 0),
        group=channels,
    )


class PhaseMixing(nn.Cell):
    """Places as waves, added up along rows and columns: (B, C, H, W) -> the same shape."""

    def __init__(self, channels: int, dropout: float) -> None:
        super().__init__()
        self.fc_h = conv2d(channels, channels, 1)
        self.fc_w = conv2d(channels, channels, 1)
        self.fc_c = conv2d(channels, channels, 1)
        self.tfc_h = _along(channels, across=True)
        self.tfc_w = _along(channels, across=False)
        self.reweight = ConvMlp(channels, channels // 4, 3 * channels)
        self.proj = conv2d(channels, channels, 1, bias=True)
        self.proj_drop = nn.Dropout(p=dropout)
        self.theta_h_conv, self.theta_w_conv = (
            nn.SequentialCell(
                [conv2d(channels, channels, 1, bias=True), BatchNorm2d(channels), nn.ReLU()]
            )
            for _ in range(2)
        )

    def construct(self, x: Tensor) -> Tensor:
        h = self.tfc_h(self.wave(self.fc_h(x), self.theta_h_conv(x)))
        w = self.tfc_w(self.wave(self.fc_w(x), self.theta_w_conv(x)))
        mixed = mix_branches(h, w, self.fc_c(x), self.reweight)
        return self.proj_drop(self.proj(mixed))

    def wave(self, amplitude: Tensor, phase: Tensor) -> Tensor:
        """Real and imaginary parts: two (B, C, H, W) -> (B, 2 C, H, W)."""
        return ops.concat((amplitude * ops.cos(phase), amplitude * ops.sin(phase)), 1)


class WaveBlock(nn.Cell):
    """Waves, then an MLP, each after a norm and added: (B, C, H, W) -> the same shape."""

    def __init__(
        self,
        channels: int,
        mlp_ratio: float,
        batch_norm: bool,
        exact_gelu: bool,
        dropout: float,
        drop_path: float,
    ) -> None:
        super().__init__()
        self.norm1 = _norm(channels, batch_norm)
        self.attn = PhaseMixing(channels, dropout)
        self.norm2 = _norm(channels, batch_norm)
        self.mlp = ConvMlp(channels, int(channels * mlp_ratio), None, dropout, exact_gelu)
        self.drop_path = DropPath(drop_path)

    def construct(self, x: Tensor) -> Tensor:
        x = x + self.drop_path(self.attn(self.norm1(x)))
        return x + self.drop_path(self.mlp(self.norm2(x)))


class Downsample(nn.Cell):
    """A convolution that strides and, where wanted, a norm."""

    def __init__(
        self,
        in_channels: int,
        channels: int,
        kernel: int,
        stride: int,
        padding: int,
        batch_norm: bool,
        use_norm: bool,
    ) -> None:
        super().__init__()
        self.proj = conv2d(in_channels, channels, kernel, stride, padding, bias=True)
        self.norm = _norm(channels, batch_norm) if use_norm else None

    def construct(self, x: Tensor) -> Tensor:
        x = self.proj(x)
        return x if self.norm is None else self.norm(x)


class WaveMLP(nn.Cell):
    """(B, in_channels, H, W) -> logits (B, num_classes), or the maps of `out_indices`."""

    def __init__(
        self,
        depths: Sequence[int],
        widths: Sequence[int],
        mlp_ratios: Sequence[float],
        batch_norm: bool,
        downsample_norm: bool,
        num_classes: int,
        in_channels: int,
        exact_gelu: bool,
        dropout: float,
        drop_path: float,
        out_indices: tuple[int, ...] | None,
    ) -> None:
        super().__init__()
        self.out_indices = out_indices
        norms = (batch_norm, downsample_norm)
        self.patch_embed = Downsample(in_channels, widths[0], 7, 4, 2, *norms)
        rates = drop_path_rates(drop_path, sum(depths))
        network: list[nn.Cell] = []
        start = 0
        for index, (depth, width) in enumerate(zip(depths, widths, strict=True)):
            if index:
                network.append(Downsample(widths[index - 1], width, 3, 2, 1, *norms))
            options = (width, mlp_ratios[index], batch_norm, exact_gelu, dropout)
            own = rates[start : start + depth]
            network.append(nn.SequentialCell([WaveBlock(*options, rate) for rate in own]))
            start += depth
        self.network = nn.CellList(network)
        self.feature_info = tuple(FeatureMap(widths[i], 4 * 2**i) for i in out_indices or ())
        if out_indices is None:
            self.norm = _norm(widths[-1], batch_norm)
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


def wave_mlp(
    depths: Sequence[int] = (2, 2, 4, 2),
    embed_dims: Sequence[int] = (64, 128, 320, 512),
    mlp_ratios: Sequence[float] = (4.0, 4.0, 4.0, 4.0),
    batch_norm: bool = True,
    downsample_norm: bool = True,
    num_classes: int = 1000,
    in_channels: int = 3,
    exact_gelu: bool = False,
    dropout: float = 0.0,
    drop_path: float = 0.0,
    features_only: bool = False,
    out_indices: Sequence[int] = (0, 1, 2, 3),
) -> WaveMLP:
    """Wave-MLP: float32 (B, in_channels, H, W) -> logits (B, num_classes).

    Args:
        depths: blocks of each of the four stages.
        embed_dims: channels of each.
        mlp_ratios: hidden channels of each stage's MLPs, in multiples of its channels.
        batch_norm: norms over the batch (tiny); over each picture otherwise (larger ones).
        downsample_norm: norms between stages too (tiny and small).
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
    if not len(depths) == len(embed_dims) == len(mlp_ratios):
        raise ValueError("depths, embed_dims and mlp_ratios should be for the same stages")
    return WaveMLP(
        depths,
        embed_dims,
        mlp_ratios,
        batch_norm,
        downsample_norm,
        num_classes,
        in_channels,
        exact_gelu,
        dropout,
        drop_path,
        check_out_indices(out_indices, len(depths)) if features_only else None,
    )
