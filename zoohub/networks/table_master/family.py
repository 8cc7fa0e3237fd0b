"""TableMaster: names and arguments."""

from __future__ import annotations

import re

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import Family

_BACKBONE = ((r"^(backbone\..+)\.downsample\.(.+)$", r"\1.down_sample.\2"),)

# The file of MindOCR 0.3. Its head asked the first of three stacked layers once; the other two are
# in the file, and were never asked.
_STACKED = {
    "attention.0": "self_attn",
    "source_attention.0": "src_attn",
    "position_feed_forward.0": "feed_forward",
    "layer_norm1": "sublayer.0.norm",
    "layer_norm2": "sublayer.1.norm",
    "layer_norm3": "sublayer.2.norm",
}
_FIRST = Layout(
    rules=(
        *_BACKBONE,
        *(
            (rf"^head\.{re.escape(name)}\.(.+)$", rf"head.layers.0.{own}.\1")
            for name, own in _STACKED.items()
        ),
        (r"^head\.(cls|bbox)_layer\.norms\.(\d)\.(.+)$", r"head.\1_layer.sublayer.\2.norm.\3"),
        (r"^head\.layer_norm4\.(.+)$", r"head.norm.\1"),
        (r"^head\.embedding\.(embedding_table)$", r"head.embedding.lut.\1"),
    ),
    drop=(r"head\.(?:attention|source_attention|position_feed_forward)\.[12]\..+",),
)

FAMILY = Family(
    name="table_master",
    task="table-recognition",
    builder="table_master",
    arguments={
        "num_classes": int,
        "steps": int,
        "stacks": int,
        "intermediate_size": int,
        "in_channels": int,
    },
    layouts={"mindocr": Layout(rules=_BACKBONE), "mindocr-0.3": _FIRST},
    head="head.cls_fc head.embedding",
    stem="backbone.conv1",
    raw=("tokens", "boxes"),
    outputs="zoohub.outputs.table_tokens:table_tokens",
    parts="parts:reading_parts",
)
