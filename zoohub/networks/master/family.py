"""MASTER: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import Family

FAMILY = Family(
    name="master",
    task="scene-text-recognition",
    builder="master",
    arguments={
        "num_classes": int,
        "steps": int,
        "stacks": int,
        "intermediate_size": int,
        "padding": int,
        "encoded": bool,
        "in_channels": int,
    },
    layouts={"mindocr": Layout()},
    head="head.generator head.embedding",
    stem="backbone.conv1",
    raw=("characters",),
    outputs="zoohub.outputs.characters:MASTER",
    parts="parts:reading_parts",
    exports_parts=False,
    compiles_parts=True,
)
