"""CaiT: names, arguments, and what timm calls the same layers."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.checkpoint.position_table import PositionTable
from zoohub.networks.family import NUMBER, Family
from zoohub.networks.pytorch_names import Naming

_BLOCKS = ("blocks", "blocks_token_only")
_LAYERS = ("qkv", "q", "k", "v", "proj", "proj_l", "proj_w")
_NAMES = (
    *(f"{blocks}.{{}}.attn.{layer}" for blocks in _BLOCKS for layer in _LAYERS),
    *(f"{blocks}.{{}}.mlp.fc{{}}" for blocks in _BLOCKS),
    "patch_embed.proj",
    "head",
)
_NORMS = (*(f"{blocks}.{{}}.norm{{}}" for blocks in _BLOCKS), "norm")
_SINGLE = (*(f"{blocks}.{{}}.gamma_{{}}" for blocks in _BLOCKS), "cls_token", "pos_embed")
# timm's talking heads have biases: `qkv_bias` and `proj_bias` read its files; it cannot read ours.
_TIMM = Naming(
    plain=tuple((name, name) for name in _NAMES),
    norms=tuple((name, name) for name in _NORMS),
    single=tuple((name, name) for name in _SINGLE),
)

FAMILY = Family(
    name="cait",
    task="image-classification",
    builder="cait",
    arguments={
        "image_size": int,
        "patch_size": int,
        "embed_dim": int,
        "depth": int,
        "num_heads": int,
        "mlp_ratio": NUMBER,
        "num_classes": int,
        "in_channels": int,
        "qkv_bias": bool,
        "proj_bias": bool,
        "norm_eps": NUMBER,
        "exact_gelu": bool,
        "layer_scale": NUMBER,
        "dropout": NUMBER,
        "drop_path": NUMBER,
    },
    layouts={"mindcv": Layout(), "torchvision": _TIMM.layout()},
    head="head",
    stem="patch_embed.proj",
    position_tables=(PositionTable("pos_embed", "tokens"),),
)
