"""Swin transformer: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.checkpoint.position_table import PositionTable
from zoohub.networks.family import FEATURES, NUMBER, SEQUENCE, Family

# research/cv/swin_transformer: the network inside its loss cell, with the stages' own numbers.
_MODELS = Layout(
    rules=(
        (r"^model\.layers\.0\.(.+)$", r"0.\1"),
        (r"^model\.layers\.([1-9])\.(.+)$", r"0.blocks.\1.\2"),
        (r"^model\.head\.(.+)$", r"classifier.\1"),
        (r"^model\.(.+)$", r"\1"),
    )
)

FAMILY = Family(
    name="swin_transformer",
    task="image-classification",
    builder="swin_transformer",
    arguments={
        "image_size": int,
        "patch_size": int,
        "embed_dim": int,
        "depths": SEQUENCE,
        "num_heads": SEQUENCE,
        "window_size": int,
        "mlp_ratio": NUMBER,
        "num_classes": int,
        "in_channels": int,
        "norm_eps": NUMBER,
        "merging_norm_eps": NUMBER,
        "exact_gelu": bool,
        "dropout": NUMBER,
        "drop_path": NUMBER,
        **FEATURES,
    },
    layouts={"mindcv": Layout(), "models": _MODELS},
    head="classifier",
    stem="patch_embed.proj",
    constants=(r".*\.relative_bias\.index", r".*\.attn_mask"),
    position_tables=(
        PositionTable(r".*\.relative_position_bias_table", "relative"),
        PositionTable(r".*\.(relative_bias\.index|attn_mask)", "computed"),
    ),
)
