"""The models repository's CRNN: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import Family

SIDES = (32, None)

FAMILY = Family(
    name="crnn_zoo",
    task="scene-text-recognition",
    builder="crnn_zoo",
    arguments={"num_classes": int, "hidden": int, "in_channels": int},
    layouts={"models": Layout()},
    head="fc",
    stem="vgg.conv1",
    raw=("characters",),
    outputs="zoohub.outputs.characters:CTC_STEPS_FIRST",
    sides=SIDES,
)
