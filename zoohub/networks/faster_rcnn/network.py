"""Faster R-CNN and Mask R-CNN on ResNet, as the MindSpore models repository publishes them.

Source: Ren et al., "Faster R-CNN" (2015) and He et al., "Mask R-CNN" (2017), with a feature
pyramid, in the form of the models repository (official/cv/faster_rcnn, official/cv/maskrcnn), whose
parameter names these are. The two stages are here; what chooses regions between them is not.
"""

from __future__ import annotations

from mindspore import Tensor, nn
from mindspore.common.initializer import initializer

from zoohub.networks.faster_rcnn.heads import (
    ClassBranch,
    MaskBranch,
    Neck,
    Proposals,
    RegionHead,
)
from zoohub.networks.layers.residual import BottleneckBlock, Numerics, blocks_of
from zoohub.networks.resnet.network import ResNet

_DEPTHS = (50, 101, 152)
_FROZEN = 0.01


def freeze(cell: nn.Cell) -> None:
    """Leave a cell out of training, as the publisher does; it starts from a file's weights, and
    from his constant without one."""
    for parameter in cell.get_parameters():
        parameter.requires_grad = False
        if parameter.ndim == 4:
            parameter.set_data(initializer(_FROZEN, parameter.shape, parameter.dtype))


class TwoStages(nn.Cell):
    """The first stage: what the anchors of a picture (B, in_channels, H, W) are.

    A subclass makes the cells that see regions' features, and says what both stages give and
    whether the pyramid is `smooth`.
    """

    smooth = False

    def __init__(
        self, depth: int, num_classes: int, in_channels: int, numerics: Numerics, boxes: int
    ) -> None:
        super().__init__()
        self.backbone = ResNet(
            BottleneckBlock,
            blocks_of("faster_rcnn", depth, _DEPTHS),
            num_classes=0,
            in_channels=in_channels,
            numerics=numerics,
            out_indices=(1, 2, 3, 4),
        )
        for cell in (self.backbone.conv1, self.backbone.bn1, self.backbone.layer1):
            freeze(cell)
        self.fpn_neck = Neck((256, 512, 1024, 2048), self.smooth)
        self.rpn_with_loss = Proposals()
        self.add_second_stage(num_classes, boxes)

    def add_second_stage(self, num_classes: int, boxes: int) -> None:
        """Make the cells that see regions."""
        raise NotImplementedError

    def anchors(self, image: Tensor) -> tuple[Tensor, ...]:
        """Logits and offsets of each map's anchors, in turn."""
        return self.rpn_with_loss(self.fpn_neck(self.backbone(image)))


class FasterRCNN(TwoStages):
    """A picture and regions' features -> what both stages say of them."""

    def add_second_stage(self, num_classes: int, boxes: int) -> None:
        self.rcnn = RegionHead(num_classes, boxes)

    def construct(self, image: Tensor, regions: Tensor) -> tuple[Tensor, ...]:
        return (*self.anchors(image), *self.rcnn(regions))


class MaskRCNN(TwoStages):
    """`FasterRCNN` with masks of regions seen at twice the resolution."""

    smooth = True

    def add_second_stage(self, num_classes: int, boxes: int) -> None:
        self.rcnn_cls = ClassBranch(num_classes, boxes)
        self.rcnn_mask = MaskBranch(num_classes)

    def construct(self, image: Tensor, regions: Tensor, mask_regions: Tensor) -> tuple[Tensor, ...]:
        return (*self.anchors(image), *self.rcnn_cls(regions), self.rcnn_mask(mask_regions))


def faster_rcnn(
    depth: int = 50,
    num_classes: int = 81,
    in_channels: int = 3,
    stride_first: bool = False,
    background_box: bool = False,
    masks: bool = False,
) -> TwoStages:
    """Faster R-CNN: a picture and regions' features -> the raw outputs of both stages.

    Takes float32 `image` (B, in_channels, H, W), H and W multiples of 32, `regions` (n, 256, 7, 7)
    cut from the pyramid's maps, and with `masks` `mask_regions` (m, 256, 14, 14). Returns for each
    of the five maps from 1/4 to 1/64 the logits (B, 3, h, w) and the offsets (B, 12, h, w) of its
    anchors; then the regions' class logits (n, num_classes), the background's first, and their
    offsets (n, 4·boxes); with `masks` the masks' logits (m, num_classes, 28, 28).

    Args:
        depth: 50, 101 or 152.
        num_classes: classes, the background among them.
        in_channels: channels of the picture.
        stride_first: the stride is the first 1×1 convolution's ("v1") and not the 3×3's ("v1.5").
        background_box: the background has a box of its own, as in older files.
        masks: Mask R-CNN.

    Raises:
        ValueError: an unknown depth.
    """
    numerics = Numerics("symmetric", "same", stride_first=stride_first)
    boxes = num_classes if background_box else num_classes - 1
    network = MaskRCNN if masks else FasterRCNN
    return network(depth, num_classes, in_channels, numerics, boxes)
