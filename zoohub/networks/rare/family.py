"""RARE: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import NUMBER, Family

SIDES = (32, None)

FAMILY = Family(
    name="rare",
    task="scene-text-recognition",
    builder="rare",
    arguments={
        "num_classes": int,
        "hidden": int,
        "steps": int,
        "neck_hidden": int,
        "in_channels": int,
        "width": NUMBER,
    },
    layouts={"mindocr": Layout()},
    head="head.generator head.attention_cell.rnn.weight_ih",
    stem="backbone.conv1_1",
    raw=("characters",),
    outputs="zoohub.outputs.characters:RARE",
    loss="loss:taught_loss",
    sides=SIDES,
)
