"""YOLOv3 tiny: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import Family

FAMILY = Family(
    name="yolov3_tiny",
    task="object-detection",
    builder="yolov3_tiny",
    arguments={"num_classes": int, "in_channels": int, "decode": bool, "base_channels": int},
    # Files saved from the training graph carry `yolo_network.`.
    layouts={"models": Layout(rules=((r"^yolo_network\.(.+)$", r"\1"),))},
    head="feature_map.head1 feature_map.head2",
    raw=("predictions_*",),
    outputs="zoohub.outputs.boxes:fractional_maps",
    loss="zoohub.networks.layers.fraction_training:box_loss",
    loss_weights={"box": 10.0, "objectness": 1.0, "classes": 1.0},
    start_head="zoohub.networks.layers.fraction_training:start_head",
    cut="zoohub.networks.layers.cuts:cut_fractions",
    stem="feature_map.backbone.conv0.0",
    multiple=32,
)
