"""YOLOv3: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import NUMBER_OR_NONE, Family

FAMILY = Family(
    name="yolov3",
    task="object-detection",
    builder="yolov3",
    arguments={
        "num_classes": int,
        "in_channels": int,
        "decode": bool,
        "width": NUMBER_OR_NONE,
        "depth": NUMBER_OR_NONE,
    },
    layouts={"mindyolo": Layout()},
    head="model.model.28.m",
    raw=("predictions", "map_*"),
    outputs="zoohub.outputs.boxes:packed_boxes",
    loss="loss:box_loss",
    loss_weights={"box": 0.05, "objectness": 0.7, "classes": 0.3, "anchor_ratio": 4.0},
    start_head="zoohub.networks.layers.anchor_training:start_head",
    cut="zoohub.networks.layers.cuts:cut_anchors",
    stem="model.model.0.conv",
    constants=(r"model\.model\.\d+\.(?:stride|anchors|anchor_grid)",),
    multiple=32,
)
