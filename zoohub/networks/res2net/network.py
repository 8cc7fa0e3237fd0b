"""Res2Net: multi-scale residual blocks.

Source: Gao et al., "Res2Net: A New Multi-scale Backbone Architecture" (2019). "v1b" has a stem of
three 3×3 convolutions and pools in its shortcuts. Parameter names are those of mindcv; the
MindSpore models repository trained v1b with other numerics (`zoo`) and with squeeze and excitation.
"""

from __future__ import annotations

from collections.abc import Sequence

from mindspore import nn

from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.features import check_out_indices
from zoohub.networks.layers.norm import BatchNorm2d
from zoohub.networks.layers.pooling import ZeroPadMaxPool
from zoohub.networks.layers.residual import ResidualNetwork, blocks_of, classifier, deep_stem
from zoohub.networks.res2net.blocks import Res2NetBlock, Slices

DEPTHS = (50, 101, 152)


class Res2Net(ResidualNetwork):
    """(B, in_channels, H, W) -> logits (B, num_classes), or the feature maps of `out_indices`."""

    def __init__(
        self,
        depth: int,
        slices: Slices,
        deep: bool,
        squeeze_excite: bool,
        num_classes: int,
        in_channels: int,
        out_indices: tuple[int, ...] | None,
    ) -> None:
        super().__init__()
        self.conv1 = (
            deep_stem(in_channels, 32, 64, slices.stem_padding, slices.eps, slices.stem_norm)
            if deep
            else conv2d(in_channels, 64, 7, 2, slices.stem_padding)
        )
        self.bn1 = BatchNorm2d(64, eps=slices.eps)
        self.max_pool = nn.MaxPool2d(3, 2, pad_mode="same") if slices.zoo else ZeroPadMaxPool()

        width = self.add_stages(
            lambda inputs, channels, stride, place: Res2NetBlock(
                inputs,
                channels,
                stride,
                place.first,
                slices,
                squeeze_excite and place.last and place.stage >= 2,
            ),
            blocks_of("res2net", depth, DEPTHS),
            64,
            out_indices,
        )
        if out_indices is None:
            self.classifier = classifier(width, num_classes)


def res2net(
    depth: int = 50,
    v1b: bool = False,
    base_width: int = 26,
    scale: int = 4,
    num_classes: int = 1000,
    in_channels: int = 3,
    squeeze_excite: bool = False,
    zoo: bool = False,
    features_only: bool = False,
    out_indices: Sequence[int] = (0, 1, 2, 3, 4),
) -> Res2Net:
    """Res2Net: float32 (B, in_channels, H, W) -> logits (B, num_classes).

    Args:
        depth: 50, 101 or 152.
        v1b: a stem of three convolutions, and shortcuts that pool.
        base_width: channels of a slice in the first stage.
        scale: slices of each 3×3 convolution, at least 2.
        num_classes: outputs of the classifier.
        in_channels: channels of the picture.
        squeeze_excite: in the last block of the last two stages, as the models repository has it.
        zoo: the models repository's padding, epsilons and pooling in place of mindcv's.
        features_only: leave out the classifier and return a tuple of feature maps.
        out_indices: which maps: 0 is the stem before pooling (1/2 of the size), 1 to 4 are the
            stages (1/4, 1/8, 1/16, 1/32).

    Raises:
        ValueError: an unknown depth or feature index, or a scale below 2.
    """
    if scale < 2:
        raise ValueError(f"res2net needs a scale of at least 2, not {scale}")
    return Res2Net(
        depth,
        Slices(base_width, scale, v1b, zoo),
        v1b,
        squeeze_excite,
        num_classes,
        in_channels,
        check_out_indices(out_indices, 5) if features_only else None,
    )
