"""U²-Net: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import Family

FAMILY = Family(
    name="u2net",
    task="object-detection",
    builder="u2net",
    arguments={"in_channels": int},
    # Files saved from the training graph carry `net.` or `network.`.
    layouts={"models": Layout(rules=((r"^(?:net|network)\.(.+)$", r"\1"),))},
    stem="stage1.rebnconvin.conv_s1",
    raw=("saliency",),
)
