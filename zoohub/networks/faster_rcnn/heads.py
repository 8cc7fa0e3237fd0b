"""What Faster R-CNN and its descendants have behind their backbones.

Source: Ren et al., "Faster R-CNN" (2015), Lin et al., "Feature Pyramid Networks" (2017) and He et
al., "Mask R-CNN" (2017); parameter names are those of the MindSpore models repository.
"""

from __future__ import annotations

from collections.abc import Sequence

from mindspore import Parameter, Tensor, nn, ops
from mindspore.common.initializer import XavierUniform, initializer

from zoohub.networks.layers.conv import conv2d

CHANNELS = 256
HIDDEN = 1024
REGION = 7  # cells of a region's features, in height and width
_PER_CELL = 3


class Neck(nn.Cell):
    """Maps from 1/4 to 1/32 -> five of 256 channels, to 1/64, each having seen the coarser.

    These are brought to the finer's size by the nearest pixel, or `smooth`ly.
    """

    def __init__(self, in_channels: Sequence[int], smooth: bool) -> None:
        super().__init__()
        # The pixels' corners stay in place, as in SSD's pyramid.
        bilinear = ops.auto_generate.ResizeBilinearV2(False, False)
        self.resize = bilinear if smooth else ops.auto_generate.ResizeNearestNeighborV2()
        self.lateral_convs_list = nn.CellList(
            [conv2d(width, CHANNELS, 1, bias=True) for width in in_channels]
        )
        self.fpn_convs_list = nn.CellList(
            [conv2d(CHANNELS, CHANNELS, 3, bias=True) for _ in in_channels]
        )

    def construct(self, maps: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        levels = len(self.lateral_convs_list)
        own: tuple[Tensor, ...] = ()
        for level, lateral in enumerate(self.lateral_convs_list):
            own = (*own, lateral(maps[level]))
        above = own[levels - 1]
        merged: tuple[Tensor, ...] = (above,)
        for step in range(1, levels):
            below = own[levels - 1 - step]
            above = below + self.resize(above, below.shape[2:])
            merged = (above, *merged)
        smooth: tuple[Tensor, ...] = ()
        for level, conv in enumerate(self.fpn_convs_list):
            smooth = (*smooth, conv(merged[level]))
        return (*smooth, smooth[-1][:, :, ::2, ::2])


class ProposalConvs(nn.Cell):
    """A map (B, 256, H, W) -> logits (B, 3, H, W) and offsets (B, 12, H, W) of its anchors."""

    def __init__(self) -> None:
        super().__init__()
        self.rpn_conv = conv2d(CHANNELS, CHANNELS, 3, bias=True)
        self.rpn_cls = conv2d(CHANNELS, _PER_CELL, 1, bias=True)
        self.rpn_reg = conv2d(CHANNELS, 4 * _PER_CELL, 1, bias=True)

    def construct(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = ops.relu(self.rpn_conv(x))
        return self.rpn_cls(x), self.rpn_reg(x)


class Proposals(nn.Cell):
    """The same convolutions over every map: logits and offsets of each in turn."""

    def __init__(self) -> None:
        super().__init__()
        self.rpn_convs_list = nn.CellList([ProposalConvs()])

    def construct(self, maps: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        found: tuple[Tensor, ...] = ()
        for each in maps:
            logits, offsets = self.rpn_convs_list[0](each)
            found = (*found, logits, offsets)
        return found


class InputsFirst(nn.Cell):
    """A dense layer whose weight is (inputs, outputs)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weight = Parameter(initializer(XavierUniform(), (inputs, outputs)), name="weight")
        self.bias = Parameter(initializer("zeros", (outputs,)), name="bias")

    def construct(self, x: Tensor) -> Tensor:
        return ops.matmul(x, self.weight) + self.bias


class RegionHead(nn.Cell):
    """Regions (n, channels, 7, 7) -> logits (n, num_classes) and offsets (n, 4·boxes).

    `common_box` adds the weights of a box for all classes, which files hold and nothing uses.
    """

    def __init__(
        self,
        num_classes: int,
        boxes: int,
        common_box: bool = False,
        channels: int = CHANNELS,
        hidden: int = HIDDEN,
    ) -> None:
        super().__init__()
        self.shared_fc_0 = InputsFirst(channels * REGION * REGION, hidden)
        self.shared_fc_1 = InputsFirst(hidden, hidden)
        self.cls_scores = InputsFirst(hidden, num_classes)
        self.reg_scores = InputsFirst(hidden, 4 * boxes)
        if common_box:
            self.reg_scores_class_ang = InputsFirst(hidden, 4)

    def construct(self, regions: Tensor) -> tuple[Tensor, Tensor]:
        x = ops.relu(self.shared_fc_0(ops.flatten(regions)))
        x = ops.relu(self.shared_fc_1(x))
        return self.cls_scores(x), self.reg_scores(x)


class MaskConvs(nn.Cell):
    """Regions (n, 256, 14, 14) -> a mask for each class, (n, num_classes, 28, 28)."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.mask_conv1 = conv2d(CHANNELS, CHANNELS, 3, bias=True)
        self.mask_conv2 = conv2d(CHANNELS, CHANNELS, 3, bias=True)
        self.mask_conv3 = conv2d(CHANNELS, CHANNELS, 3, bias=True)
        self.mask_conv4 = conv2d(CHANNELS, CHANNELS, 3, bias=True)
        self.mask_deconv5 = nn.Conv2dTranspose(CHANNELS, CHANNELS, 2, 2, has_bias=True)
        self.mask_conv6 = conv2d(CHANNELS, num_classes, 1, bias=True)

    def construct(self, x: Tensor) -> Tensor:
        x = ops.relu(self.mask_conv2(ops.relu(self.mask_conv1(x))))
        x = ops.relu(self.mask_conv4(ops.relu(self.mask_conv3(x))))
        return self.mask_conv6(ops.relu(self.mask_deconv5(x)))


class ClassBranch(nn.Cell):
    """`RegionHead` where Mask R-CNN has it."""

    def __init__(self, num_classes: int, boxes: int) -> None:
        super().__init__()
        self.fpn_cls = RegionHead(num_classes, boxes)

    def construct(self, regions: Tensor) -> tuple[Tensor, Tensor]:
        return self.fpn_cls(regions)


class MaskBranch(nn.Cell):
    """`MaskConvs` where Mask R-CNN has them."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.fpn_mask = MaskConvs(num_classes)

    def construct(self, regions: Tensor) -> Tensor:
        return self.fpn_mask(regions)
