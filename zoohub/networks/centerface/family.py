"""CenterFace: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import Family

FAMILY = Family(
    name="centerface",
    task="object-detection",
    builder="centerface",
    arguments={"in_channels": int},
    # Files saved from the training graph carry `centerface_network.`.
    layouts={"models": Layout(rules=((r"^centerface_network\.(.+)$", r"\1"),))},
    stem="base.need_fp1.0",
    raw=("heat", "sizes", "offsets", "landmarks"),
    outputs="zoohub.outputs.center_maps:center_faces",
    multiple=32,
)
