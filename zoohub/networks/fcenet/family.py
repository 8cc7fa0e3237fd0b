"""FCENet: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import Family

FAMILY = Family(
    name="fcenet",
    task="scene-text-detection",
    builder="fcenet",
    arguments={"degree": int, "in_channels": int},
    layouts={"mindocr": Layout()},
    stem="backbone.conv1",
    raw=("map_*",),
    outputs="zoohub.outputs.text_areas:text_curves",
)
