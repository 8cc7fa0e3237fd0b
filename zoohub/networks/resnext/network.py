"""ResNeXt, and every ResNet whose 3×3 convolutions are grouped or wider.

Source: Xie et al., "Aggregated Residual Transformations for Deep Neural Networks" (2016).
Parameter names are those of mindcv. The MindSpore models repository stores each group's weight by
itself: `split_groups`.
"""

from __future__ import annotations

from collections.abc import Sequence

from zoohub.networks.layers.conv import Padding, conv2d
from zoohub.networks.layers.features import check_out_indices
from zoohub.networks.layers.norm import BatchNorm2d
from zoohub.networks.layers.residual import (
    BottleneckBlock,
    Numerics,
    ResidualNetwork,
    blocks_of,
    classifier,
)

DEPTHS = (50, 101, 152)


class ResNeXt(ResidualNetwork):
    """(B, in_channels, H, W) -> logits (B, num_classes), or the feature maps of `out_indices`."""

    def __init__(
        self,
        blocks_per_stage: Sequence[int],
        groups: int,
        base_width: int,
        num_classes: int,
        in_channels: int,
        split_groups: bool,
        numerics: Numerics,
        out_indices: tuple[int, ...] | None,
    ) -> None:
        super().__init__()
        self.conv1 = conv2d(in_channels, 64, 7, 2)
        self.bn1 = BatchNorm2d(64)
        self.max_pool = numerics.stem_pool()
        width = self.add_stages(
            lambda inputs, channels, stride, place: BottleneckBlock(
                inputs, channels, stride, numerics, groups, base_width, split_groups
            ),
            blocks_per_stage,
            64,
            out_indices,
        )
        if out_indices is None:
            self.classifier = classifier(width, num_classes)


def resnext(
    depth: int = 50,
    groups: int = 32,
    base_width: int = 4,
    num_classes: int = 1000,
    in_channels: int = 3,
    split_groups: bool = False,
    pool_padding: Padding = "same",
    features_only: bool = False,
    out_indices: Sequence[int] = (0, 1, 2, 3, 4),
) -> ResNeXt:
    """ResNeXt: float32 (B, in_channels, H, W) -> logits (B, num_classes).

    Args:
        depth: 50, 101 or 152.
        groups: of the 3×3 convolutions: the 32 in "32x4d"; 1 makes a (wide) ResNet.
        base_width: channels of a group in the first stage: the 4 in "32x4d".
        num_classes: outputs of the classifier.
        in_channels: channels of the picture.
        split_groups: each group's weight is a parameter of its own, as the models repository
            stores them; the computation is the same.
        pool_padding: of the stem's max pooling: "same" or "symmetric" (torchvision).
        features_only: leave out the classifier and return a tuple of feature maps.
        out_indices: which maps: 0 is the stem before pooling (1/2 of the size), 1 to 4 are the
            stages (1/4, 1/8, 1/16, 1/32).

    Raises:
        ValueError: an unknown depth, padding or feature index.
    """
    return ResNeXt(
        blocks_of("resnext", depth, DEPTHS),
        groups,
        base_width,
        num_classes,
        in_channels,
        split_groups,
        Numerics(pool_padding=pool_padding),
        check_out_indices(out_indices, 5) if features_only else None,
    )
