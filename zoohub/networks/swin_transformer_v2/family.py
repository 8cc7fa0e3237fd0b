"""Swin transformer V2: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.checkpoint.position_table import PositionTable
from zoohub.networks.family import FEATURES, NUMBER, SEQUENCE, Family

_COMPUTED = r".*\.(relative_coords_table|relative_position_index|attn_mask)"

FAMILY = Family(
    name="swin_transformer_v2",
    task="image-classification",
    builder="swin_transformer_v2",
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
    layouts={"mindcv": Layout()},
    head="head",
    stem="patch_embed.proj",
    constants=(_COMPUTED,),
    position_tables=(PositionTable(_COMPUTED, "computed"),),
)
