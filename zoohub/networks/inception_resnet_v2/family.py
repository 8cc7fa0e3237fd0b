"""Inception-ResNet v2: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import FEATURES, NUMBER, Family

# research/cv/inception_resnet_v2.
_MODELS = Layout(
    rules=(
        (r"^(.+)\.conv\.conv\.(\w+)$", r"\1.conv.\2"),
        (r"^(.+)\.conv\.batchnorm\.(\w+)$", r"\1.bn.\2"),
        (r"^softmax\.dense\.(\w+)$", r"classifier.\1"),
    )
)

FAMILY = Family(
    name="inception_resnet_v2",
    task="image-classification",
    builder="inception_resnet_v2",
    arguments={"num_classes": int, "in_channels": int, "dropout": NUMBER, **FEATURES},
    layouts={"models": _MODELS},
    head="classifier",
    stem="features.0.conv2d_1a.conv",
)
