"""DeepText: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import Family

FAMILY = Family(
    name="deeptext",
    task="scene-text-detection",
    builder="deeptext",
    arguments={"num_classes": int, "anchors": int, "in_channels": int},
    layouts={"models": Layout()},
    head="rcnn.cls_scores rcnn.reg_scores",
    stem="vgg16_feature_extractor.conv1_1.0",
    inputs=("image", "regions"),
    sequences=False,
    raw=("logits", "offsets", "region_logits", "region_offsets"),
    outputs="zoohub.outputs.masked_boxes:chosen_regions",
    multiple=16,
    parts="parts:search_parts",
)
