"""Warp-CTC: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import Family

FAMILY = Family(
    name="warpctc",
    task="scene-text-recognition",
    builder="warpctc",
    arguments={"num_classes": int, "in_channels": int, "height": int, "hidden": int},
    layouts={"models": Layout()},
    head="fc",
    stem="lstm.weight_ih_l0",
    raw=("characters",),
    outputs="zoohub.outputs.characters:CTC_STEPS_FIRST",
    loss="zoohub.networks.layers.ctc:columns_loss",
)
