"""TextFuseNet: names and arguments."""

from __future__ import annotations

from zoohub.networks.family import Family
from zoohub.networks.faster_rcnn.family import FAMILY as FASTER_RCNN

FAMILY = Family(
    name="textfusenet",
    task="scene-text-detection",
    builder="textfusenet",
    arguments={"depth": int, "num_classes": int, "in_channels": int},
    layouts={"models": FASTER_RCNN.layouts["models"]},
    head="rcnn_cls.fpn_cls.cls_scores rcnn_cls.fpn_cls.reg_scores rcnn_mask.fpn_mask.mask_conv6",
    stem="backbone.conv1",
    inputs=(
        *("image", "regions", "mask_regions"),
        *("context_regions", "character_regions", "text_regions"),
    ),
    sequences=False,
    raw=("outputs_*",),
    outputs="zoohub.outputs.masked_boxes:chosen_regions",
    multiple=32,
    parts="parts:search_parts",
)
