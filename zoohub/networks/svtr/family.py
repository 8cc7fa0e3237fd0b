"""SVTR: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import NUMBER, Arguments, Family
from zoohub.networks.picture_sizes import ANY, Sides


def _stem(arguments: Arguments) -> str:
    own = "backbone.patch_embed.proj.0.conv"
    if arguments.get("straighten", True):
        return f"{own} transform.stn_head.stn_convnet.0.0"
    return own


HEIGHT = 32
WIDTH = 320


def _sides(arguments: Arguments) -> Sides:
    if arguments.get("straighten", True):
        return ANY
    return HEIGHT, int(str(arguments.get("width", WIDTH)))


FAMILY = Family(
    name="svtr",
    task="scene-text-recognition",
    builder="svtr",
    arguments={
        "num_classes": int,
        "straighten": bool,
        "width": int,
        "channels": int,
        "drop_path": NUMBER,
        "in_channels": int,
    },
    layouts={"mindocr": Layout()},
    head="head.dense1",
    stem=_stem,
    raw=("characters",),
    outputs="zoohub.outputs.characters:CTC",
    loss="zoohub.networks.layers.ctc:columns_loss",
    sides=_sides,
)
