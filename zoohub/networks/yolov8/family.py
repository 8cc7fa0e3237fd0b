"""YOLOv8: names and arguments."""

from __future__ import annotations

from collections.abc import Mapping

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import NUMBER_OR_NONE, Family


def _head(arguments: Mapping[str, object]) -> str:
    last = 30 if str(arguments.get("size", "s")).endswith("6") else 22
    return f"model.model.{last}.cv3"


def _multiple(arguments: Mapping[str, object]) -> int:
    """MindOCR's neck cuts maps to fit."""
    coarse = str(arguments.get("size")).endswith("6") and not arguments.get("dense_neck")
    return 64 if coarse else 32


def _masks(arguments: Mapping[str, object]) -> bool:
    return bool(arguments.get("masks"))


def _weights(arguments: Mapping[str, object]) -> Mapping[str, float]:
    """mindyolo weighs masks as it does boxes."""
    boxes = {"box": 7.5, "classes": 0.5, "distances": 1.5}
    return {**boxes, "masks": 7.5} if _masks(arguments) else boxes


# MindOCR's detector of a page's parts, which has four strides.
_MINDOCR = Layout(rules=((r"^backbone\.(.+)$", r"\1"), (r"^head\.(.+)$", r"model.model.30.\1")))

FAMILY = Family(
    name="yolov8",
    task="object-detection",
    builder="yolov8",
    arguments={
        "size": str,
        "num_classes": int,
        "in_channels": int,
        "decode": bool,
        "masks": bool,
        "width": NUMBER_OR_NONE,
        "depth": NUMBER_OR_NONE,
        "dense_neck": bool,
    },
    layouts={"mindyolo": Layout(), "mindocr": _MINDOCR},
    head=_head,
    stem="model.model.0.conv",
    raw=("boxes", "map_*"),
    outputs="outputs:boxes_or_masks",
    loss="loss:box_loss",
    learns_shapes=_masks,
    loss_weights=_weights,
    start_head="loss:start_head",
    cut="cut:cut_network",
    constants=(r"model\.model\.\d+\.(?:stride|dfl\.conv\.weight)",),
    multiple=_multiple,
)
