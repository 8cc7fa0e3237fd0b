"""YOLOv3 on Res2Net-50: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import Family

# Files saved from the training graph carry `yolo_network.`.
_BACKBONE = r"^(?:yolo_network\.)?feature_map\.backbone"
_OWN = "feature_map.backbone"
_MODELS = Layout(
    rules=(
        *(
            (rf"{_BACKBONE}\.{part}1_{place}\.(.+)$", rf"{_OWN}.conv1.{3 * place + index}.\1")
            for index, part in enumerate(("conv", "bn"))
            for place in range(3)
        ),
        (
            rf"{_BACKBONE}\.layer1\.(.+)\.conv_down_sample\.(.+)$",
            rf"{_OWN}.layer1.\1.down_sample.0.\2",
        ),
        (
            rf"{_BACKBONE}\.layer1\.(.+)\.bn_down_sample\.(.+)$",
            rf"{_OWN}.layer1.\1.down_sample.1.\2",
        ),
        (rf"{_BACKBONE}\.(.+)\.conv_down_sample\.(.+)$", rf"{_OWN}.\1.down_sample.1.\2"),
        (rf"{_BACKBONE}\.(.+)\.bn_down_sample\.(.+)$", rf"{_OWN}.\1.down_sample.2.\2"),
        (r"^yolo_network\.(.+)$", r"\1"),
    )
)
FAMILY = Family(
    name="yolov3_res2net",
    task="object-detection",
    builder="yolov3_res2net",
    arguments={"num_classes": int, "in_channels": int, "decode": bool},
    layouts={"models": _MODELS},
    head="feature_map.backblock0.conv6 feature_map.backblock1.conv6 feature_map.backblock2.conv6",
    raw=("predictions_*",),
    outputs="zoohub.outputs.boxes:fractional_maps",
    loss="zoohub.networks.layers.fraction_training:box_loss",
    loss_weights={"box": 10.0, "objectness": 1.0, "classes": 1.0},
    start_head="zoohub.networks.layers.fraction_training:start_head",
    cut="zoohub.networks.layers.cuts:cut_fractions",
    stem="feature_map.backbone.conv1.0",
    multiple=32,
)
