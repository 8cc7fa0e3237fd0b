"""SVTR-LCNet: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import NUMBER, Family

SIDES = (48, None)

FAMILY = Family(
    name="svtr_lcnet",
    task="scene-text-recognition",
    builder="svtr_lcnet",
    arguments={
        "num_classes": int,
        "width": NUMBER,
        "hidden_size": int,
        "depth": int,
        "norm_eps": NUMBER,
        "in_channels": int,
    },
    layouts={"mindocr": Layout()},
    head="head.ctc_head.dense1 head.sar_head.decoder.embedding head.sar_head.decoder.prediction",
    stem="backbone.conv1",
    training_only="head.sar_head",
    raw=("characters",),
    outputs="zoohub.outputs.characters:CTC_BLANK_FIRST",
    loss="zoohub.networks.layers.ctc:columns_loss",
    sides=SIDES,
)
