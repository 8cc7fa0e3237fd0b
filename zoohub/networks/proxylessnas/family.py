"""ProxylessNAS: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import FEATURES, Family

FAMILY = Family(
    name="proxylessnas",
    task="image-classification",
    builder="proxylessnas",
    arguments={"num_classes": int, "in_channels": int, **FEATURES},
    layouts={"models": Layout()},
    head="output",
    stem="features.init_block.conv",
)
