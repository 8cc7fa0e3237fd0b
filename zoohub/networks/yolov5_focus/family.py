"""The first YOLOv5: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import INT_OR_NONE, Family

_PREFIX = r"^(?:yolo_network\.)?feature_map"
# The models repository's YOLOv5 (official/cv/yolov5): files saved from the training graph carry
# `yolo_network.`, and the first release had other names for the same blocks.
_MODELS = Layout(
    rules=(
        (rf"{_PREFIX}\.backbone\.focusv2\.(.+)$", r"feature_map.backbone.focus.\1"),
        (rf"{_PREFIX}\.backbone\.spp\.cv(\d)\.(.+)$", r"feature_map.backbone.spp.conv\1.\2"),
        (
            rf"{_PREFIX}\.backbone\.C3(\d)\.m\.(\d+)\.cv(\d)\.(.+)$",
            r"feature_map.backbone.CSP\1.m.\2.conv\3.\4",
        ),
        (
            rf"{_PREFIX}\.backbone\.C3(\d)\.cv(\d)\.(.+)$",
            r"feature_map.backbone.CSP\1.conv\2.\3",
        ),
        *(
            rule
            for block in range(1, 5)
            for rule in (
                (
                    rf"{_PREFIX}\.C3{block}\.m\.(\d+)\.cv(\d)\.(.+)$",
                    rf"feature_map.CSP{block + 4}.m.\1.conv\2.\3",
                ),
                (
                    rf"{_PREFIX}\.C3{block}\.cv(\d)\.(.+)$",
                    rf"feature_map.CSP{block + 4}.conv\1.\2",
                ),
            )
        ),
        (rf"{_PREFIX}\.backblock(\d)\.cv\.(.+)$", r"feature_map.back_block\1.conv.\2"),
        (rf"{_PREFIX}\.(.+)$", r"feature_map.\1"),
    )
)

FAMILY = Family(
    name="yolov5_focus",
    task="object-detection",
    builder="yolov5_focus",
    arguments={
        "size": str,
        "num_classes": int,
        "sliced_input": bool,
        "decode": bool,
        "base_channels": INT_OR_NONE,
    },
    layouts={"models": _MODELS},
    head="feature_map.back_block1 feature_map.back_block2 feature_map.back_block3",
    stem="feature_map.backbone.focus.conv.conv",
    raw=("predictions_*",),
    outputs="zoohub.outputs.boxes:fractional_maps",
    layout="NHWC",
    loss="loss:box_loss",
    loss_weights={"box": 2.0, "objectness": 1.0, "classes": 1.0},
    start_head="zoohub.networks.layers.fraction_training:start_head",
    cut="zoohub.networks.layers.cuts:cut_fractions",
    multiple=32,
)
