"""YOLOv7: names and arguments."""

from __future__ import annotations

from collections.abc import Mapping

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import NUMBER_OR_NONE, Family

_HEAD_ROW = {"tiny": 77, "l": 105, "x": 121, "w6": 122, "e6": 144, "d6": 166, "e6e": 265}
_AT_FOUR_LEVELS = ("w6", "e6", "d6", "e6e")


def _head(arguments: Mapping[str, object]) -> str:
    size = str(arguments.get("size", "l"))
    last = f"model.model.{_HEAD_ROW.get(size, 105)}"
    return f"{last}.m {last}.m2 {last}.im" if size in _AT_FOUR_LEVELS else f"{last}.m {last}.im"


def _stem(arguments: Mapping[str, object]) -> str:
    """The sizes at four levels part the picture first."""
    parted = arguments.get("size") in _AT_FOUR_LEVELS
    return f"model.model.{int(parted)}.conv"


def _weights(arguments: Mapping[str, object]) -> Mapping[str, float]:
    """mindyolo's configurations weigh tiny's classes and objectness as YOLOv5's."""
    tiny = arguments.get("size") == "tiny"
    return {
        "box": 0.05,
        "objectness": 1.0 if tiny else 0.7,
        "classes": 0.5 if tiny else 0.3,
        "anchor_ratio": 4.0,
    }


FAMILY = Family(
    name="yolov7",
    task="object-detection",
    builder="yolov7",
    arguments={
        "size": str,
        "num_classes": int,
        "in_channels": int,
        "decode": bool,
        "width": NUMBER_OR_NONE,
    },
    layouts={"mindyolo": Layout()},
    head=_head,
    raw=("predictions", "map_*"),
    outputs="zoohub.outputs.boxes:packed_boxes",
    loss="loss:box_loss",
    loss_weights=_weights,
    start_head="loss:start_head",
    cut="zoohub.networks.layers.cuts:cut_anchors",
    stem=_stem,
    constants=(r"model\.model\.\d+\.(?:stride|anchors|anchor_grid|convert_matrix)",),
    multiple=lambda arguments: 64 if arguments.get("size") in _AT_FOUR_LEVELS else 32,
)
