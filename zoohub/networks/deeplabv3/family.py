"""DeepLabV3: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import NUMBER, SEQUENCE, Family

# What the models repository (official/cv/deeplabv3, research/cv/deeplabv3plus,
# official/cv/DeepLabV3P) calls the encoder; files saved from the training graph carry `network.`.
MODELS_ENCODER = ((r"^(?:network\.)?resnet\.(.+)\.downsample\.(.+)$", r"resnet.\1.down_sample.\2"),)
# mindcv's (examples/seg/deeplabv3): a feature network of its ResNet, `net` where it is wrapped.
MINDCV_ENCODER = (
    (r"^backbone\.(?:net\.)?(.+)$", r"resnet.\1"),
    *(
        (
            rf"^aspp\.aspp_convs\.{branch}\._?aspp_conv\.(.+)$",
            rf"aspp.aspp{branch + 1}.aspp_conv.\1",
        )
        for branch in range(4)
    ),
    (r"^aspp\.aspp_convs\.4\.conv\.(.+)$", r"aspp.aspp_pooling.conv.\1"),
)
REST = ((r"^network\.(.+)$", r"\1"),)

_MODELS = Layout(
    rules=(*MODELS_ENCODER, (r"^(?:network\.)?aspp\.conv2\.(.+)$", r"classifier.\1"), *REST)
)
_MINDCV = Layout(rules=(*MINDCV_ENCODER, (r"^(?:conv|aspp\.conv2)\.(.+)$", r"classifier.\1")))

FAMILY = Family(
    name="deeplabv3",
    task="semantic-segmentation",
    raw=("classes",),
    outputs="zoohub.outputs.class_map:class_map",
    builder="deeplabv3",
    arguments={
        "depth": int,
        "num_classes": int,
        "in_channels": int,
        "output_stride": int,
        "multi_grid": SEQUENCE,
        "base_channels": int,
        "aspp_channels": int,
        "dropout": NUMBER,
    },
    layouts={"models": _MODELS, "mindcv": _MINDCV},
    head="classifier",
    stem="resnet.conv1",
)
