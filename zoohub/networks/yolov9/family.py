"""YOLOv9: names and arguments."""

from __future__ import annotations

from collections.abc import Mapping

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import NUMBER_OR_NONE, Family

_HEAD_ROW = {"t": 29, "s": 29, "m": 38, "c": 38, "e": 49}


def _head(arguments: Mapping[str, object]) -> str:
    last = _HEAD_ROW.get(str(arguments.get("size", "s")), 29)
    return f"model.model.{last}.cv3 model.model.{last}.cv5"


def _stem(arguments: Mapping[str, object]) -> str:
    """m, c and e start from the picture twice."""
    second = {"m": 26, "c": 26, "e": 15}.get(str(arguments.get("size", "s")))
    if second is None:
        return "model.model.0.conv"
    return f"model.model.1.conv model.model.{second}.conv"


FAMILY = Family(
    name="yolov9",
    task="object-detection",
    builder="yolov9",
    arguments={
        "size": str,
        "num_classes": int,
        "in_channels": int,
        "decode": bool,
        "width": NUMBER_OR_NONE,
    },
    layouts={"mindyolo": Layout()},
    head=_head,
    raw=("auxiliary_boxes", "boxes", "map_*"),
    outputs="zoohub.outputs.boxes:scored_boxes",
    loss="loss:box_loss",
    loss_weights={"box": 7.5, "classes": 0.5, "distances": 1.5},
    start_head="loss:start_head",
    cut="zoohub.networks.layers.cuts:cut_two_branches",
    stem=_stem,
    constants=(r"model\.model\.\d+\.(?:stride|dfl2?\.conv\.weight)",),
    multiple=32,
)
