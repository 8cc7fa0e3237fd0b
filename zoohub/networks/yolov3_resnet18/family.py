"""YOLOv3 on ResNet-18: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import Family

FAMILY = Family(
    name="yolov3_resnet18",
    task="object-detection",
    builder="yolov3_resnet18",
    arguments={"num_classes": int, "in_channels": int, "decode": bool, "base_channels": int},
    # Files saved from the training graph carry `yolo_network.`.
    layouts={"models": Layout(rules=((r"^yolo_network\.(.+)$", r"\1"),))},
    head="feature_map.backblock0.conv6 feature_map.backblock1.conv6 feature_map.backblock2.conv6",
    stem="feature_map.net.conv1",
    raw=("predictions_*",),
    outputs="zoohub.outputs.boxes:fractional_maps",
    loss="zoohub.networks.layers.fraction_training:box_loss",
    loss_weights={"box": 10.0, "objectness": 1.0, "classes": 1.0},
    start_head="zoohub.networks.layers.fraction_training:start_head",
    cut="zoohub.networks.layers.cuts:cut_fractions",
    multiple=32,
)
