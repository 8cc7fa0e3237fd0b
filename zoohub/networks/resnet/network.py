"""ResNet-18 to ResNet-152.

Source: He et al., "Deep Residual Learning for Image Recognition" (2015), with the stride in the
3×3 convolution ("v1.5"). Parameter names are those of mindcv. The MindSpore models repository
trained the same networks with other padding and epsilons: `conv_padding`, `pool_padding`,
`bn_eps` and `outer_bn_eps` make its checkpoints' computation. `output_stride` and `multi_grid` are
those of Chen et al., "Rethinking Atrous Convolution for Semantic Image Segmentation" (2017).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import cycle, islice

from mindspore import nn

from zoohub.networks.layers.conv import Padding, conv2d
from zoohub.networks.layers.features import check_out_indices
from zoohub.networks.layers.norm import BatchNorm2d
from zoohub.networks.layers.residual import (
    BasicBlock,
    BottleneckBlock,
    Numerics,
    ResidualNetwork,
    blocks_of,
    classifier,
)

DEPTHS = (18, 34, 50, 101, 152)
# By the stride of the last map: the four stages' strides, and their dilations.
_STRIDES = {32: (1, 2, 2, 2), 16: (1, 2, 2, 1), 8: (1, 2, 1, 1)}
_DILATIONS = {32: (1, 1, 1, 1), 16: (1, 1, 1, 2), 8: (1, 1, 2, 4)}


def _dilations(
    blocks_per_stage: Sequence[int], output_stride: int, multi_grid: Sequence[int]
) -> Iterator[int]:
    """The dilation of every block, in their order."""
    for stage, (dilation, repeats) in enumerate(
        zip(_DILATIONS[output_stride], blocks_per_stage, strict=True)
    ):
        grid = multi_grid if stage == 3 else (1,)
        for factor in islice(cycle(grid), repeats):
            yield dilation * factor


class ResNet(ResidualNetwork):
    """(B, in_channels, H, W) -> logits (B, num_classes), or the feature maps of `out_indices`."""

    def __init__(
        self,
        block: type[BasicBlock] | type[BottleneckBlock],
        blocks_per_stage: Sequence[int],
        num_classes: int,
        in_channels: int,
        numerics: Numerics,
        out_indices: tuple[int, ...] | None,
        base_channels: int = 64,
        output_stride: int = 32,
        multi_grid: Sequence[int] = (1,),
    ) -> None:
        super().__init__()
        self.conv1 = conv2d(in_channels, base_channels, 7, 2, numerics.conv_padding)
        self.bn1 = BatchNorm2d(base_channels, eps=numerics.outer_bn_eps)
        self.max_pool = numerics.stem_pool()
        dilations = _dilations(blocks_per_stage, output_stride, multi_grid)
        width = self.add_stages(
            lambda inputs, channels, stride, place: block(
                inputs, channels, stride, numerics, dilation=next(dilations)
            ),
            blocks_per_stage,
            base_channels,
            out_indices,
            block.expansion,
            base_channels,
            _STRIDES[output_stride],
        )
        if out_indices is None:
            self.classifier = classifier(width, num_classes) if num_classes else nn.Identity()


def resnet(
    depth: int = 50,
    num_classes: int = 1000,
    in_channels: int = 3,
    conv_padding: Padding = "symmetric",
    pool_padding: Padding = "same",
    bn_eps: float = 1e-5,
    outer_bn_eps: float | None = None,
    base_channels: int = 64,
    output_stride: int = 32,
    multi_grid: Sequence[int] = (1,),
    features_only: bool = False,
    out_indices: Sequence[int] = (0, 1, 2, 3, 4),
) -> ResNet:
    """ResNet: float32 (B, in_channels, H, W) -> logits (B, num_classes).

    Args:
        depth: 18, 34, 50, 101 or 152.
        num_classes: outputs of the classifier; 0: none, the pooled features are the result.
        in_channels: channels of the picture.
        conv_padding: of convolutions with stride 2: "symmetric" (mindcv) or "same".
        pool_padding: of the stem's max pooling: "same" (mindcv) or "symmetric".
        bn_eps: epsilon of the batch norms on the residual branches.
        outer_bn_eps: epsilon of the stem's and the shortcuts' batch norms; None takes `bn_eps`.
        base_channels: of the stem and the first stage; each further stage has twice as many.
        output_stride: 32, or 16 or 8 for a last map that is not as small: the last one or two
            stages then keep the size and space out what their 3×3 convolutions see.
        multi_grid: factors on that spacing in the last stage, one a block, repeated as needed.
        features_only: leave out the classifier and return a tuple of feature maps.
        out_indices: which maps: 0 is the stem before pooling (1/2 of the size), 1 to 4 are the
            stages (1/4, 1/8, 1/16, 1/32, but not below 1/`output_stride`).

    Raises:
        ValueError: an unknown depth, padding, output stride or feature index.
    """
    if output_stride not in _STRIDES:
        raise ValueError(f"output_stride is one of {sorted(_STRIDES)}, not {output_stride}")
    blocks = blocks_of("resnet", depth, DEPTHS)
    outer = bn_eps if outer_bn_eps is None else outer_bn_eps
    return ResNet(
        BasicBlock if depth < 50 else BottleneckBlock,
        blocks,
        num_classes,
        in_channels,
        Numerics(conv_padding, pool_padding, bn_eps, outer),
        check_out_indices(out_indices, 5) if features_only else None,
        base_channels,
        output_stride,
        multi_grid,
    )
