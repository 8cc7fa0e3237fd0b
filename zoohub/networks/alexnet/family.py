"""AlexNet as the models repository has it: arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import NUMBER, Family

FAMILY = Family(
    name="alexnet",
    task="image-classification",
    builder="alexnet",
    arguments={"num_classes": int, "in_channels": int, "dropout": NUMBER, "raw_input": bool},
    layouts={"models": Layout()},
    head="fc3",
    stem="conv1",
)
