"""YOLOv4: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import NUMBER_OR_NONE, Family

FAMILY = Family(
    name="yolov4",
    task="object-detection",
    builder="yolov4",
    arguments={
        "activation": str,
        "num_classes": int,
        "in_channels": int,
        "decode": bool,
        "width": NUMBER_OR_NONE,
        "depth": NUMBER_OR_NONE,
    },
    layouts={"mindyolo": Layout()},
    head="model.model.66.m",
    raw=("predictions", "map_*"),
    outputs="zoohub.outputs.boxes:packed_boxes",
    loss="loss:box_loss",
    loss_weights={"box": 10.0, "objectness": 1.0, "classes": 1.0},
    start_head="loss:start_head",
    cut="zoohub.networks.layers.cuts:cut_anchors",
    stem="model.model.0.conv",
    multiple=32,
)
