"""MAE: names and arguments."""

from __future__ import annotations

from collections.abc import Mapping

from zoohub.checkpoint.layout import Layout
from zoohub.checkpoint.position_table import PositionTable
from zoohub.networks.family import NUMBER, SEQUENCE, Family
from zoohub.networks.vit.family import TIMM


def _head(arguments: Mapping[str, object]) -> str:
    return "" if arguments.get("pretraining") else "head"


def _stem(arguments: Mapping[str, object]) -> str:
    return "patch_embed.proj" + (" decoder_pred" if arguments.get("pretraining") else "")


FAMILY = Family(
    name="mae",
    task="image-classification",
    builder="mae",
    arguments={
        "image_size": int,
        "patch_size": int,
        "embed_dim": int,
        "depth": int,
        "num_heads": int,
        "mlp_ratio": NUMBER,
        "num_classes": int,
        "in_channels": int,
        "norm_eps": NUMBER,
        "exact_gelu": (bool, type(None)),
        "dropout": NUMBER,
        "drop_path": NUMBER,
        "pretraining": bool,
        "decoder": SEQUENCE,
    },
    # The names are those of `vit`, which is what a file of them is taken for.
    layouts={"mindcv": Layout(), "torchvision": TIMM.layout()},
    head=_head,
    stem=_stem,
    position_tables=(PositionTable("(decoder_)?pos_embed", "tokens", prefix_tokens=1),),
)
