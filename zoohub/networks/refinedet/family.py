"""RefineDet: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import Family

# Files saved from the training graph carry `network.`.
_MODELS = Layout(
    rules=(
        (r"^(?:network\.)?(arm|odm)\.multi_box\.(.+)$", r"\1.\2"),
        (r"^(?:network\.)?tcb\.tcb(\d)\.(.+)$", r"tcb.own.\1.\2"),
        (r"^(?:network\.)?tcb\.deconv(\d)\.(.+)$", r"tcb.spread.\1.\2"),
        (r"^(?:network\.)?tcb\.p(\d)\.(.+)$", r"tcb.smooth.\1.\2"),
        (r"^network\.(.+)$", r"\1"),
    )
)
FAMILY = Family(
    name="refinedet",
    task="object-detection",
    builder="refinedet",
    arguments={"num_classes": int, "in_channels": int, "decode": bool},
    layouts={"models": _MODELS},
    head="odm.multi_cls_layers",
    stem="backbone.b1.0",
    multiple=64,
    raw=(
        *("first_offsets", "first_scores", "offsets", "scores"),
        *("map_0", "map_1", "map_2", "map_3", "boxes"),
    ),
    outputs="zoohub.outputs.boxes:scored_boxes",
    cut="zoohub.networks.layers.cuts:cut_refined",
)
