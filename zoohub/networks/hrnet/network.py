"""HRNet for classification: the four resolutions are widened and added up from high to low.

Source: Wang et al., "Deep High-Resolution Representation Learning for Visual Recognition" (2019).
Parameter names are those of mindcv.
"""

from __future__ import annotations

from collections.abc import Sequence

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.features import FeatureMap, check_out_indices
from zoohub.networks.layers.high_resolution import HighResolutionTrunk, bottlenecks, conv_norm
from zoohub.networks.layers.residual import classifier

# Channels of the four branches in the head, before expansion.
_HEAD = (32, 64, 128, 256)
_POOLED = 2048


class HRNet(HighResolutionTrunk):
    """(B, in_channels, H, W) -> logits (B, num_classes), or the feature maps of `out_indices`."""

    def __init__(
        self,
        width: int,
        num_classes: int,
        in_channels: int,
        head_bias: bool,
        half_upsampling: bool,
        out_indices: tuple[int, ...] | None,
    ) -> None:
        super().__init__()
        self.out_indices = out_indices
        channels = self.add_trunk(in_channels, width, half_upsampling)
        wide = [4 * each for each in _HEAD]
        self.incre_modules = nn.CellList(
            [bottlenecks(each, head, 1) for each, head in zip(channels, _HEAD, strict=True)]
        )
        maps = [FeatureMap(64, 2), *(FeatureMap(c, 4 * 2**i) for i, c in enumerate(wide))]
        self.feature_info = tuple(maps[index] for index in out_indices or ())
        if out_indices is None:
            self.downsample_modules = nn.CellList(
                [conv_norm(wide[i], wide[i + 1], 3, 2, True, head_bias) for i in range(3)]
            )
            self.final_layer = conv_norm(wide[-1], _POOLED, 1, 1, True, head_bias)
            self.classifier = classifier(_POOLED, num_classes)

    def head(self, maps: tuple[Tensor, ...]) -> Tensor:
        """The four widened branches -> (B, num_classes)."""
        y = maps[0]
        for index, down in enumerate(self.downsample_modules):
            y = maps[index + 1] + down(y)
        return self.classifier(ops.mean(self.final_layer(y), (2, 3)))

    def construct(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        stem = self.stem(x)
        branches = self.branches(stem)
        maps: tuple[Tensor, ...] = ()
        for index, widen in enumerate(self.incre_modules):
            maps = (*maps, widen(branches[index]))
        if self.out_indices is None:
            return self.head(maps)
        maps = (stem, *maps)
        chosen: tuple[Tensor, ...] = ()
        for index in self.out_indices:
            chosen = (*chosen, maps[index])
        return chosen


def hrnet(
    width: int = 32,
    num_classes: int = 1000,
    in_channels: int = 3,
    head_bias: bool = False,
    half_upsampling: bool = False,
    features_only: bool = False,
    out_indices: Sequence[int] = (0, 1, 2, 3, 4),
) -> HRNet:
    """HRNet: float32 (B, in_channels, H, W) -> logits (B, num_classes).

    Args:
        width: channels of the highest resolution: the 32 in "w32".
        num_classes: outputs of the classifier.
        in_channels: channels of the picture.
        head_bias: the head's convolutions have biases (models repository, timm).
        half_upsampling: maps that go to a higher resolution are rounded to float16, as mindcv does.
        features_only: leave out the classifier and return a tuple of feature maps.
        out_indices: which maps: 0 is the stem (1/2 of the size), 1 to 4 are the widened branches
            (1/4, 1/8, 1/16, 1/32).

    Raises:
        ValueError: a feature index that does not exist.
    """
    indices = check_out_indices(out_indices, 5) if features_only else None
    return HRNet(width, num_classes, in_channels, head_bias, half_upsampling, indices)
