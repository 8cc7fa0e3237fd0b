"""TableMaster: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import Family

FAMILY = Family(
    name="table_master",
    task="table-recognition",
    builder="table_master",
    arguments={
        "num_classes": int,
        "steps": int,
        "intermediate_size": int,
        "in_channels": int,
    },
    layouts={
        "mindocr": Layout(rules=((r"^(backbone\..+)\.downsample\.(.+)$", r"\1.down_sample.\2"),))
    },
    head="head.cls_fc head.embedding",
    stem="backbone.conv1",
    raw=("tokens", "boxes"),
)
