"""SNN-MLP of every size.

Source: Li et al., "Brain-inspired Multilayer Perceptron with Spiking Neurons" (2022). Parameter
names are those of the models repository (research/cv/snn_mlp). Its neurons write into their input
in PyNative mode; here they do not, as in the graph mode that it was trained in.
"""

from __future__ import annotations

from collections.abc import Sequence

from mindspore import Parameter, Tensor, nn, ops
from mindspore.common.initializer import initializer
from mindspore.ops import functional

from zoohub.networks.layers.activations import gelu
from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.dense import dense
from zoohub.networks.layers.drop_path import DropPath, drop_path_rates
from zoohub.networks.layers.features import FeatureMap, check_out_indices
from zoohub.networks.layers.map_norms import PictureNorm
from zoohub.networks.layers.mlp import ConvMlp
from zoohub.networks.layers.naming import name_parameters
from zoohub.networks.layers.pooling import GlobalAvgPool
from zoohub.networks.layers.swin_stages import PUBLISHED_NAMES

_START = 0.25  # of a neuron's leak and threshold


class SpikingNeurons(nn.Cell):
    """Leaky neurons along the height: groups of `steps` rows, one after the other.

    (B, C, H, W) -> the same shape. What lies above the threshold passes; rows left over at the
    end stay as they are.
    """

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.steps = steps
        self.tau = Parameter(initializer(_START, (1,)), name="tau")
        self.Vth = Parameter(initializer(_START, (1,)), name="Vth")

    def construct(self, x: Tensor) -> Tensor:
        height = x.shape[2]
        groups = height // self.steps
        if functional.isconstant(height) and groups * self.steps == height:
            return self.fire(x)
        # How many rows are left over may be known only when the graph runs: all are tried.
        tried = (height + self.steps - 1) // self.steps * self.steps
        padded = ops.pad(x, (0, 0, 0, self.steps - 1))[:, :, :tried]
        places = ops.reshape(ops.arange(height), (-1, 1))
        return ops.where(places < groups * self.steps, self.fire(padded)[:, :, :height], x)

    def fire(self, x: Tensor) -> Tensor:
        """What neurons let pass of rows that groups divide."""
        _, channels, height, width = x.shape
        rows = ops.reshape(x, (-1, channels, height // self.steps, self.steps, width))
        lines = ops.unstack(rows, 3)
        potential = lines[0]
        passed: tuple[Tensor, ...] = (self.gate(potential),)
        for step in range(1, self.steps):
            fired = ops.greater(potential, self.Vth).astype(x.dtype)
            potential = self.tau * potential * (1.0 - fired) + lines[step]
            passed = (*passed, self.gate(potential))
        return ops.reshape(ops.stack(passed, 3), (-1, channels, height, width))

    def gate(self, potential: Tensor) -> Tensor:
        """The potential, at least the threshold."""
        return ops.relu(potential - self.Vth) + self.Vth


class SpikingModule(nn.Cell):
    """Neurons along columns and along rows between convolutions: shapes stay."""

    def __init__(self, channels: int, steps: int, exact_gelu: bool) -> None:
        super().__init__()
        self.conv1 = conv2d(channels, channels, 1, bias=True)
        self.conv2_1 = conv2d(channels, channels, 1, bias=True)
        self.conv2_2 = conv2d(channels, channels, 1, bias=True)
        self.conv3 = conv2d(channels, channels, 1, bias=True)
        self.act = gelu(exact_gelu)
        self.norm1 = PictureNorm(channels)
        self.norm2 = PictureNorm(channels)
        self.norm3 = PictureNorm(channels)
        self.lif1 = SpikingNeurons(steps)
        self.lif2 = SpikingNeurons(steps)
        self.dw1 = conv2d(channels, channels, 3, groups=channels, bias=True)

    def construct(self, x: Tensor) -> Tensor:
        x = self.act(self.norm1(self.conv1(x)))
        x = self.act(self.norm2(self.dw1(x)))
        down = self.lif1(x)
        across = ops.transpose(self.lif2(ops.transpose(x, (0, 1, 3, 2))), (0, 1, 3, 2))
        x = self.act(self.conv2_1(down)) + self.act(self.conv2_2(across))
        return self.conv3(self.norm3(x))


class SpikingBlock(nn.Cell):
    """Neurons, then an MLP, each after a norm and added: (B, C, H, W) -> the same shape."""

    def __init__(
        self,
        channels: int,
        mlp_ratio: float,
        steps: int,
        exact_gelu: bool,
        dropout: float,
        drop_path: float,
    ) -> None:
        super().__init__()
        self.norm1 = PictureNorm(channels)
        self.lif_module = SpikingModule(channels, steps, exact_gelu)
        self.norm2 = PictureNorm(channels)
        self.mlp = ConvMlp(channels, int(channels * mlp_ratio), None, dropout, exact_gelu)
        self.drop_path = DropPath(drop_path)

    def construct(self, x: Tensor) -> Tensor:
        x = x + self.drop_path(self.lif_module(self.norm1(x)))
        return x + self.drop_path(self.mlp(self.norm2(x)))


class MapMerging(nn.Cell):
    """Four neighbours become one: (B, C, H, W) -> (B, 2 C, H / 2, W / 2)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.reduction = conv2d(4 * channels, 2 * channels, 1)
        self.norm = PictureNorm(4 * channels)

    def construct(self, x: Tensor) -> Tensor:
        _, channels, height, width = x.shape
        x = ops.reshape(x, (-1, channels, height // 2, 2, width // 2, 2))
        x = ops.transpose(x, (0, 5, 3, 1, 2, 4))
        x = ops.reshape(x, (-1, 4 * channels, height // 2, width // 2))
        return self.reduction(self.norm(x))


class Stage(nn.Cell):
    """Blocks and the merging after them: the blocks' output, and what the next stage takes."""

    def __init__(self, blocks: Sequence[SpikingBlock], merging: MapMerging | None) -> None:
        super().__init__()
        self.blocks = nn.CellList(list(blocks))
        self.downsample = merging

    def construct(self, x: Tensor) -> tuple[Tensor, Tensor]:
        for block in self.blocks:
            x = block(x)
        return x, x if self.downsample is None else self.downsample(x)


class PatchNorm(nn.Cell):
    """Patches of 4×4 and a norm: (B, in_channels, H, W) -> (B, channels, H / 4, W / 4)."""

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        self.proj = conv2d(in_channels, channels, 4, 4, "same", bias=True)
        self.norm = PictureNorm(channels)

    def construct(self, x: Tensor) -> Tensor:
        return self.norm(self.proj(x))


class SnnMlp(nn.Cell):
    """(B, in_channels, H, W) -> logits (B, num_classes), or the maps of `out_indices`."""

    def __init__(
        self,
        embed_dim: int,
        depths: Sequence[int],
        mlp_ratio: float,
        steps: int,
        num_classes: int,
        in_channels: int,
        exact_gelu: bool,
        dropout: float,
        drop_path: float,
        out_indices: tuple[int, ...] | None,
    ) -> None:
        super().__init__()
        self.out_indices = out_indices
        self.patch_embed = PatchNorm(in_channels, embed_dim)
        self.pos_drop = nn.Dropout(p=dropout)
        rates = drop_path_rates(drop_path, sum(depths))
        stages, maps, start = [], [], 0
        for index, depth in enumerate(depths):
            channels = embed_dim * 2**index
            options = (channels, mlp_ratio, steps, exact_gelu, dropout)
            blocks = [SpikingBlock(*options, rate) for rate in rates[start : start + depth]]
            stages.append(Stage(blocks, None if index == len(depths) - 1 else MapMerging(channels)))
            maps.append(FeatureMap(channels, 4 * 2**index))
            start += depth
        self.layers = nn.CellList(stages)
        self.feature_info = tuple(maps[index] for index in out_indices or ())
        if out_indices is None:
            self.norm = PictureNorm(maps[-1].channels)
            self.pool = GlobalAvgPool()
            self.head = dense(maps[-1].channels, num_classes)
        name_parameters(self, PUBLISHED_NAMES)

    def construct(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        x = self.pos_drop(self.patch_embed(x))
        maps: tuple[Tensor, ...] = ()
        for index, stage in enumerate(self.layers):
            out, x = stage(x)
            if self.out_indices is not None and index in self.out_indices:
                maps = (*maps, out)
        if self.out_indices is not None:
            return maps
        return self.head(self.pool(self.norm(x)))


def snn_mlp(
    embed_dim: int = 96,
    depths: Sequence[int] = (2, 2, 6, 2),
    mlp_ratio: float = 4.0,
    steps: int = 4,
    num_classes: int = 1000,
    in_channels: int = 3,
    exact_gelu: bool = False,
    dropout: float = 0.0,
    drop_path: float = 0.2,
    features_only: bool = False,
    out_indices: Sequence[int] = (0, 1, 2, 3),
) -> SnnMlp:
    """SNN-MLP: float32 (B, in_channels, H, W) -> logits (B, num_classes).

    Args:
        embed_dim: channels of the first stage: 96 (tiny, small), 128 (base).
        depths: blocks of each of the four stages.
        mlp_ratio: hidden channels of each MLP, in multiples of its input's.
        steps: places that one neuron sees one after the other.
        num_classes: outputs of the classifier.
        in_channels: channels of the picture.
        exact_gelu: GELU by the error function in place of tanh.
        dropout: share of values set to zero in training.
        drop_path: share of samples whose last block is skipped in training.
        features_only: leave out norm and classifier and return a tuple of feature maps.
        out_indices: which stages' maps: at 1/4, 1/8, 1/16, 1/32 of the picture's size.

    Raises:
        ValueError: a stage that does not exist.
    """
    return SnnMlp(
        embed_dim,
        depths,
        mlp_ratio,
        steps,
        num_classes,
        in_channels,
        exact_gelu,
        dropout,
        drop_path,
        check_out_indices(out_indices, len(depths)) if features_only else None,
    )
