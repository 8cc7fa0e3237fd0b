"""EfficientNet B0 to B7 and V2, and TinyNets, which are its smaller sisters.

Sources: Tan & Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks"
(2019) and "EfficientNetV2: Smaller Models and Faster Training" (2021); Han et al., "Model Rubik's
Cube" (2020). Parameter names are those of mindcv. The MindSpore models repository published
several other versions: `bn_eps`, `activation` and `excitation` make its checkpoints' computation.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from mindspore import Tensor, nn
from mindspore.common.initializer import Uniform

from zoohub.networks.efficientnet.blocks import EXCITATIONS, FusedMBConv, MBConv, Numerics
from zoohub.networks.efficientnet.sizes import SIZES, Size
from zoohub.networks.layers.activations import HardSwish
from zoohub.networks.layers.cell import Cell
from zoohub.networks.layers.conv import Padding, check_padding
from zoohub.networks.layers.features import FeatureMap, ReadLayers, read_stages
from zoohub.networks.layers.pooling import GlobalAvgPool

_ACTIVATIONS = {"silu": nn.SiLU, "hard_swish": HardSwish}


class EfficientNet(Cell):
    """(B, in_channels, H, W) -> logits (B, num_classes), or feature maps of chosen layers."""

    def __init__(
        self,
        size: Size,
        num_classes: int,
        in_channels: int,
        dropout: float,
        drop_path: float,
        numerics: Numerics,
        out_indices: tuple[int, ...] | None,
    ) -> None:
        super().__init__()
        channels, stride = size.stem, 2
        layers = numerics.conv(in_channels, channels, 3, 2)
        maps = [FeatureMap(channels, stride)] * len(layers)
        rate = drop_path / sum(stage.repeats for stage in size.stages)
        made = 0  # blocks so far: the deeper, the more often dropped
        for stage in size.stages:
            kind = FusedMBConv if stage.fused else MBConv
            blocks = []
            for index in range(stage.repeats):
                step = stage.stride if index == 0 else 1
                sizes = (channels, stage.channels, stage.kernel, step, stage.expansion)
                blocks.append(kind(*sizes, numerics, rate * made))
                channels, made = stage.channels, made + 1
            stride *= stage.stride
            layers.append(nn.SequentialCell(blocks))
            maps.append(FeatureMap(channels, stride))
        self.features_only = out_indices is not None
        self.feature_info: tuple[FeatureMap, ...] = ()
        if out_indices is None:
            self.features = ReadLayers([*layers, *numerics.conv(channels, size.last, 1)])
            self.pool = GlobalAvgPool()
            self.dropout = nn.Dropout(p=dropout)
            init = Uniform(num_classes**-0.5)
            self.mlp_head = nn.Dense(size.last, num_classes, weight_init=init)
        else:
            self.features, self.feature_info = read_stages(layers, maps, out_indices)

    def construct(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        x = self.features(x)
        return x if self.features_only else self.mlp_head(self.dropout(self.pool(x)))


def efficientnet(
    size: str = "b0",
    num_classes: int = 1000,
    in_channels: int = 3,
    dropout: float | None = None,
    drop_path: float = 0.2,
    conv_padding: Padding = "same",
    bn_eps: float | None = None,
    activation: str = "silu",
    excitation: str = "conv",
    features_only: bool = False,
    out_indices: Sequence[int] = (0, 1, 2, 3, 4),
) -> EfficientNet:
    """EfficientNet: float32 (B, in_channels, H, W) -> logits (B, num_classes).

    Args:
        size: "b0" to "b7", "v2_s", "v2_m", "v2_l", "v2_xl", or "tiny_a" to "tiny_e".
        num_classes: outputs of the classifier.
        in_channels: channels of the picture.
        dropout: share of the pooled features set to zero in training; None: the size's own.
        drop_path: share of the samples that skip the last block in training; the first block is
            never skipped, and those between proportionally.
        conv_padding: "same" (mindcv) or "symmetric" (torchvision).
        bn_eps: epsilon of the batch norms; None: mindcv's, which is 1e-3 from B5 on and 1e-5 else.
        activation: "silu" or "hard_swish".
        excitation: how squeeze and excitation is stored: as 1×1 convolutions ("conv"), as dense
            layers ("dense"), or as convolutions with a bias beside them ("outer_bias").
        features_only: leave out what follows the last block and return a tuple of feature maps.
        out_indices: which maps: 0 to 4 are at 1/2, 1/4, 1/8, 1/16 and 1/32 of the picture's size.

    Raises:
        ValueError: an unknown size, padding, activation, excitation or feature index.
    """
    check_padding(conv_padding)
    for what, value, known in (
        ("size", size, SIZES),
        ("activation", activation, _ACTIVATIONS),
        ("excitation", excitation, EXCITATIONS),
    ):
        if value not in known:
            raise ValueError(f"efficientnet has no {what} {value!r}; it has {', '.join(known)}")
    spec, act = SIZES[size], _ACTIVATIONS[activation]
    eps = spec.bn_eps if bn_eps is None else bn_eps
    numerics = Numerics(conv_padding, eps, act, partial(EXCITATIONS[excitation], act=act))
    rate = spec.dropout if dropout is None else dropout
    indices = tuple(out_indices) if features_only else None
    return EfficientNet(spec, num_classes, in_channels, rate, drop_path, numerics, indices)
