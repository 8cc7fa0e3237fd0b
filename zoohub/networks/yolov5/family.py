"""YOLOv5: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import NUMBER_OR_NONE, Arguments, Family


def _head(arguments: Arguments) -> str:
    last = 33 if str(arguments.get("size", "s")).endswith("6") else 24
    return f"model.model.{last}.m"


FAMILY = Family(
    name="yolov5",
    task="object-detection",
    builder="yolov5",
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
    stem="model.model.0.conv",
    # mindyolo's files of 2023 have no `stride`.
    raw=("predictions", "map_*"),
    outputs="zoohub.outputs.boxes:packed_boxes",
    loss="loss:box_loss",
    loss_weights={"box": 0.05, "objectness": 1.0, "classes": 0.5, "anchor_ratio": 4.0},
    start_head="zoohub.networks.layers.anchor_training:start_head",
    cut="zoohub.networks.layers.cuts:cut_anchors",
    constants=(r"model\.model\.\d+\.(?:stride|anchors|anchor_grid)",),
    multiple=lambda arguments: 64 if str(arguments.get("size")).endswith("6") else 32,
)
