"""SSD: names and arguments."""

from __future__ import annotations

from collections.abc import Mapping

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import Family

# Files saved from the training graph carry `network.`.
_MODELS = Layout(
    rules=(
        (r"^(?:network\.)?(.+)\.down_sample_layer\.(.+)$", r"\1.down_sample.\2"),
        (r"^network\.(.+)$", r"\1"),
    )
)
_STEMS = {
    "mobilenet_v2": "backbone.features_1.0.features.0",
    "vgg16": "backbone.b1.0",
    "mobilenet_v1": "feature_extractor.mobilenet_v1.network.0.0",
    "mobilenet_v1_fpn": "feature_extractor.mobilenet_v1.network.0.0",
    "resnet34": "feature_extractor.module.conv1",
    "resnet50_fpn": "feature_extractor.resnet.conv1",
    "mobilenet_v2_fpnlite": "feature_extractor.mobilenet_v2.features_1.0.features.0",
}


def _backbone(arguments: Mapping[str, object]) -> str:
    return str(arguments.get("backbone", "mobilenet_v2"))


def _head(arguments: Mapping[str, object]) -> str:
    shared = "fpn" in _backbone(arguments)
    return "multi_box.cls_layers" if shared else "multi_box.multi_cls_layers"


FAMILY = Family(
    name="ssd",
    task="object-detection",
    builder="ssd",
    arguments={
        "backbone": str,
        "num_classes": int,
        "in_channels": int,
        "full_heads": bool,
        "decode": bool,
    },
    raw=("offsets", "scores", "boxes"),
    outputs="zoohub.outputs.boxes:scored_boxes",
    cut="zoohub.networks.layers.cuts:cut_offsets",
    layouts={"models": _MODELS},
    head=_head,
    stem=lambda arguments: _STEMS.get(_backbone(arguments), ""),
)
