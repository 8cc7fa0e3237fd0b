"""Faster R-CNN, Cascade R-CNN and Mask R-CNN, as the MindSpore models repository publishes them.

Source: Ren et al., "Faster R-CNN" (2015), Cai and Vasconcelos, "Cascade R-CNN" (2017) and He et
al., "Mask R-CNN" (2017), with a feature pyramid, in the form of the models repository
(official/cv/faster_rcnn, official/cv/maskrcnn, official/cv/maskrcnn_mobilenetv1,
research/cv/CascadeRCNN, research/cv/faster_rcnn_dcn, research/cv/res2net_faster_rcnn), whose
parameter names these are. The stages are here; what chooses regions between them is not.
"""

from __future__ import annotations

from collections.abc import Sequence

from mindspore import Tensor, nn

from zoohub.networks.faster_rcnn.backbones import make_backbone
from zoohub.networks.faster_rcnn.heads import (
    ClassBranch,
    MaskBranch,
    Neck,
    Proposals,
    RegionHead,
)


class TwoStages(nn.Cell):
    """The first stage: what the anchors of a picture (B, in_channels, H, W) are.

    A subclass makes the cells that see regions' features, and says what both stages give and
    whether the pyramid is `smooth`.
    """

    smooth = False

    def __init__(
        self, backbone: nn.Cell, widths: Sequence[int], num_classes: int, boxes: int
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.fpn_neck = Neck(widths, self.smooth)
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


class CascadeRCNN(TwoStages):
    """`FasterRCNN` with three heads, each of which sees the regions that the one before it gave."""

    def add_second_stage(self, num_classes: int, boxes: int) -> None:
        # The first two were trained with a box for all classes too, which is not looked at.
        self.rcnn = RegionHead(num_classes, boxes, common_box=True)
        self.rcnn1 = RegionHead(num_classes, boxes, common_box=True)
        self.rcnn2 = RegionHead(num_classes, boxes)

    def construct(
        self, image: Tensor, regions: Tensor, second: Tensor, third: Tensor
    ) -> tuple[Tensor, ...]:
        return (
            *self.anchors(image),
            *self.rcnn(regions),
            *self.rcnn1(second),
            *self.rcnn2(third),
        )


class MaskRCNN(TwoStages):
    """`FasterRCNN` with masks of regions seen at twice the resolution."""

    smooth = True

    def add_second_stage(self, num_classes: int, boxes: int) -> None:
        self.rcnn_cls = ClassBranch(num_classes, boxes)
        self.rcnn_mask = MaskBranch(num_classes)

    def construct(self, image: Tensor, regions: Tensor, mask_regions: Tensor) -> tuple[Tensor, ...]:
        return (*self.anchors(image), *self.rcnn_cls(regions), self.rcnn_mask(mask_regions))


def faster_rcnn(
    backbone: str = "resnet",
    depth: int = 50,
    num_classes: int = 81,
    in_channels: int = 3,
    stride_first: bool = False,
    background_box: bool = False,
    masks: bool = False,
    cascade: bool = False,
) -> TwoStages:
    """Faster R-CNN: a picture and regions' features -> the raw outputs of both stages.

    Takes float32 `image` (B, in_channels, H, W), H and W multiples of 32, `regions` (n, 256, 7, 7)
    cut from the pyramid's maps, with `masks` `mask_regions` (m, 256, 14, 14), and with `cascade`
    the regions of its second and third head, as `regions`. Returns for each of the five maps from
    1/4 to 1/64 the logits (B, 3, h, w) and the offsets (B, 12, h, w) of its anchors; then the
    regions' class logits (n, num_classes), the background's first, and their offsets
    (n, 4·boxes), with `cascade` those of all heads in turn; with `masks` the masks' logits
    (m, num_classes, 28, 28).

    Args:
        backbone: "resnet", "deformable_resnet", "res2net" or "mobilenet_v1".
        depth: 50, 101 or 152; of Res2Net and MobileNetV1 50 stands for the only one.
        num_classes: classes, the background among them.
        in_channels: channels of the picture.
        stride_first: the stride is the first 1×1 convolution's ("v1") and not the 3×3's ("v1.5").
        background_box: the background has a box of its own, as in older files.
        masks: Mask R-CNN.
        cascade: Cascade R-CNN.

    Raises:
        ValueError: an unknown backbone or depth, or both `masks` and `cascade`.
    """
    if masks and cascade:
        raise ValueError("a network with masks has one head, not a cascade of them")
    body, widths = make_backbone(backbone, depth, in_channels, stride_first)
    boxes = num_classes if background_box else num_classes - 1
    network = MaskRCNN if masks else CascadeRCNN if cascade else FasterRCNN
    return network(body, widths, num_classes, boxes)
