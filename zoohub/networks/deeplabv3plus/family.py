"""DeepLabV3+: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.deeplabv3.family import MINDCV_ENCODER, MODELS_ENCODER, REST
from zoohub.networks.family import NUMBER, SEQUENCE, Family

_MODELS = Layout(rules=(*MODELS_ENCODER, *REST))
_MINDCV = Layout(
    rules=(
        *MINDCV_ENCODER,
        (r"^decoder\.conv1\.(.+)$", r"conv2.\1"),
        (r"^decoder\.bn1\.(.+)$", r"bn2.\1"),
        (r"^decoder\.(last_conv\..+)$", r"\1"),
    )
)

FAMILY = Family(
    name="deeplabv3plus",
    task="semantic-segmentation",
    raw=("classes",),
    outputs="zoohub.outputs.class_map:class_map",
    builder="deeplabv3plus",
    arguments={
        "depth": int,
        "num_classes": int,
        "in_channels": int,
        "output_stride": int,
        "multi_grid": SEQUENCE,
        "base_channels": int,
        "aspp_channels": int,
        "dropout": NUMBER,
        "probabilities": bool,
    },
    layouts={"models": _MODELS, "mindcv": _MINDCV},
    head="last_conv.6",
    stem="resnet.conv1",
)
