"""LeNet-5: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import Family

FAMILY = Family(
    name="lenet",
    task="image-classification",
    builder="lenet",
    arguments={"num_classes": int, "in_channels": int},
    layouts={"models": Layout()},
    head="fc3",
    stem="conv1",
)
