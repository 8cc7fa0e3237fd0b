"""ViT with query, key and value apart: names of both publishers, and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.checkpoint.position_table import PositionTable
from zoohub.networks.family import NUMBER, Family

_BLOCK = r"^body\.layers\.(\d+)"
_LAYER = r"^transformer\.encoder\.layer\.(\d+)"

_OFFICIAL = Layout(
    rules=(
        (r"^cls$", "cls_token"),
        (r"^pos_embedding$", "pos_embed"),
        (r"^stem\.patch_to_embedding\.dense\.(.+)$", r"patch_embed.proj.\1"),
        (_BLOCK + r"\.0\.cell\.0\.(.+)$", r"blocks.\1.norm1.\2"),
        (_BLOCK + r"\.0\.cell\.1\.to_([qkv])\.(.+)$", r"blocks.\1.attn.\2.\3"),
        (_BLOCK + r"\.0\.cell\.1\.to_out\.(.+)$", r"blocks.\1.attn.proj.\2"),
        (_BLOCK + r"\.1\.cell\.0\.(.+)$", r"blocks.\1.norm2.\2"),
        (_BLOCK + r"\.1\.cell\.1\.ff([12])\.dense\.(.+)$", r"blocks.\1.mlp.fc\2.\3"),
        (r"^head\.0\.(.+)$", r"head.\1"),
    )
)
_RESEARCH = Layout(
    rules=(
        (r"^transformer\.embeddings\.position_embeddings$", "pos_embed"),
        (r"^transformer\.embeddings\.cls_token$", "cls_token"),
        (r"^transformer\.embeddings\.patch_embeddings\.(.+)$", r"patch_embed.proj.\1"),
        (_LAYER + r"\.attention_norm\.(.+)$", r"blocks.\1.norm1.\2"),
        (_LAYER + r"\.ffn_norm\.(.+)$", r"blocks.\1.norm2.\2"),
        (_LAYER + r"\.ffn\.(fc[12])\.(.+)$", r"blocks.\1.mlp.\2.\3"),
        (_LAYER + r"\.attn\.query\.(.+)$", r"blocks.\1.attn.q.\2"),
        (_LAYER + r"\.attn\.key\.(.+)$", r"blocks.\1.attn.k.\2"),
        (_LAYER + r"\.attn\.value\.(.+)$", r"blocks.\1.attn.v.\2"),
        (_LAYER + r"\.attn\.out\.(.+)$", r"blocks.\1.attn.proj.\2"),
        (r"^transformer\.encoder\.encoder_norm\.(.+)$", r"norm.\1"),
    )
)

FAMILY = Family(
    name="vit_split",
    task="image-classification",
    builder="vit_split",
    arguments={
        "image_size": int,
        "patch_size": int,
        "embed_dim": int,
        "depth": int,
        "num_heads": int,
        "mlp_ratio": NUMBER,
        "num_classes": int,
        "in_channels": int,
        "dense_patches": bool,
        "norms_first": bool,
        "norm_eps": NUMBER,
        "exact_gelu": bool,
        "dropout": NUMBER,
        "drop_path": NUMBER,
    },
    layouts={"official": _OFFICIAL, "research": _RESEARCH},
    head="head",
    stem="patch_embed.proj",
    position_tables=(PositionTable("pos_embed", "tokens", prefix_tokens=1),),
)
