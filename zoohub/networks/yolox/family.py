"""YOLOX: names and arguments."""

from __future__ import annotations

from collections.abc import Mapping

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import NUMBER_OR_NONE, Family


def _head(arguments: Mapping[str, object]) -> str:
    last = 32 if arguments.get("size") == "darknet53" else 24
    return f"model.model.{last}.cls_preds"


def _stem(arguments: Mapping[str, object]) -> str:
    return (
        "model.model.0.conv" if arguments.get("size") == "darknet53" else "model.model.0.conv.conv"
    )


FAMILY = Family(
    name="yolox",
    task="object-detection",
    builder="yolox",
    arguments={
        "size": str,
        "num_classes": int,
        "in_channels": int,
        "decode": bool,
        "width": NUMBER_OR_NONE,
        "depth": NUMBER_OR_NONE,
    },
    layouts={"mindyolo": Layout()},
    head=_head,
    raw=("predictions", "map_*"),
    outputs="zoohub.outputs.boxes:packed_boxes",
    loss="loss:box_loss",
    loss_weights={"box": 5.0, "objectness": 1.0, "classes": 1.0, "l1": 0.0},
    start_head="loss:start_head",
    cut="zoohub.networks.layers.cuts:cut_anchors",
    stem=_stem,
    multiple=32,
)
