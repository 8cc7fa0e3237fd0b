"""The stages of TextFuseNet, which a search asks in turn."""

from __future__ import annotations

from collections.abc import Mapping

from mindspore import Tensor, nn
from mindspore import dtype as mstype

from zoohub.networks.family import Part, Taken
from zoohub.networks.faster_rcnn.heads import CHANNELS, REGION
from zoohub.networks.faster_rcnn.parts import first_part, head_part
from zoohub.networks.textfusenet.network import TextFuseNet

_CELLS = 2 * REGION


class FirstStage(nn.Cell):
    """What Faster R-CNN's gives of an `image`, and the map of its context."""

    def __init__(self, net: TextFuseNet) -> None:
        super().__init__(auto_prefix=False)
        self.net = net

    def construct(self, image: Tensor) -> tuple[Tensor, ...]:
        maps = self.net.fpn_neck(self.net.backbone(image))
        return (*maps[:-1], *self.net.rpn_with_loss(maps), self.net.rcnn_seg(maps))


class TextMasks(nn.Cell):
    """Regions of the pyramid and of the context's map, (n, 256, 14, 14) -> masks' logits
    (n, num_classes, 28, 28).

    The publisher's evaluation counts classes without the background where it asks which regions
    are texts and characters, so that no text is fused with its characters.
    """

    def __init__(self, net: TextFuseNet) -> None:
        super().__init__(auto_prefix=False)
        self.net = net
        regions = Tensor(shape=(None, CHANNELS, _CELLS, _CELLS), dtype=mstype.float32)
        self.set_inputs(regions, regions)

    def construct(self, mask_regions: Tensor, context_regions: Tensor) -> Tensor:
        contexts = self.net.rcnn_seg.fpn_mask.of_regions(context_regions)
        return self.net.rcnn_mask(self.net.fuse_module.joined(mask_regions + contexts))


def search_parts(net: TextFuseNet) -> Mapping[str, Part]:
    """As `zoohub.tasks.text_detection.masked_texts` asks for them."""
    first = first_part(net)
    shape = ("count", CHANNELS, _CELLS, _CELLS)
    regions = tuple(Taken(name, shape, "float32") for name in ("mask_regions", "context_regions"))
    return {
        "proposals": Part(FirstStage(net), first.inputs, (*first.outputs, "context")),
        "head": head_part(net.rcnn_cls),
        "masks": Part(TextMasks(net), regions, ("mask_logits",)),
    }
