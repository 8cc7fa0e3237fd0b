"""The stages of a two-stage detector, which a search asks in turn."""

from __future__ import annotations

from collections.abc import Mapping

from mindspore import Tensor, nn
from mindspore import dtype as mstype

from zoohub.networks.family import Part, Taken
from zoohub.networks.faster_rcnn.heads import CHANNELS, REGION
from zoohub.networks.faster_rcnn.network import CascadeRCNN, FasterRCNN, MaskRCNN, TwoStages

_STRIDES = (4, 8, 16, 32, 64)
_LOOKED_AT = 4  # maps that regions are cut from


class FirstStage(nn.Cell):
    """`image` (B, C, H, W) -> the maps from 1/4 to 1/32, then logits and offsets of the anchors of
    each map from 1/4 to 1/64."""

    def __init__(self, net: TwoStages) -> None:
        super().__init__(auto_prefix=False)
        self.net = net

    def construct(self, image: Tensor) -> tuple[Tensor, ...]:
        maps = self.net.fpn_neck(self.net.backbone(image))
        return (*maps[:_LOOKED_AT], *self.net.rpn_with_loss(maps))


class Head(nn.Cell):
    """Any number of regions' features -> what `net` says of them."""

    def __init__(self, net: nn.Cell, cells: int) -> None:
        super().__init__(auto_prefix=False)
        self.net = net
        self.set_inputs(Tensor(shape=(None, CHANNELS, cells, cells), dtype=mstype.float32))

    def construct(self, regions: Tensor) -> Tensor | tuple[Tensor, ...]:
        return self.net(regions)


def search_parts(net: TwoStages) -> Mapping[str, Part]:
    """As `zoohub.tasks.detection.regions.search` asks for them."""
    return {
        "proposals": first_part(net),
        **{name: head_part(cell) for name, cell in _heads(net).items()},
        **_masks(net),
    }


def first_part(net: TwoStages) -> Part:
    """`FirstStage`, and what it takes and gives."""
    channels = next(iter(net.backbone.get_parameters())).shape[1]
    image = Taken("image", ("batch", channels, "height", "width"), "float32")
    maps = tuple(f"map_{stride}" for stride in _STRIDES[:_LOOKED_AT])
    anchors = [f"{what}_{stride}" for stride in _STRIDES for what in ("logits", "offsets")]
    return Part(FirstStage(net), (image,), (*maps, *anchors))


def _heads(net: TwoStages) -> dict[str, nn.Cell]:
    if isinstance(net, CascadeRCNN):
        return {"head_1": net.rcnn, "head_2": net.rcnn1, "head_3": net.rcnn2}
    if isinstance(net, MaskRCNN):
        return {"head": net.rcnn_cls}
    assert isinstance(net, FasterRCNN)
    return {"head": net.rcnn}


def head_part(cell: nn.Cell) -> Part:
    """What sees regions, `cell`, and what it takes and gives."""
    taken = Taken("regions", ("count", CHANNELS, REGION, REGION), "float32")
    return Part(Head(cell, REGION), (taken,), ("class_logits", "offsets"))


def _masks(net: TwoStages) -> dict[str, Part]:
    if not isinstance(net, MaskRCNN):
        return {}
    cells = 2 * REGION
    taken = Taken("mask_regions", ("count", CHANNELS, cells, cells), "float32")
    return {"masks": Part(Head(net.rcnn_mask, cells), (taken,), ("mask_logits",))}
