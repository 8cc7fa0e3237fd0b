"""CCT: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.checkpoint.position_table import PositionTable
from zoohub.networks.family import NUMBER, Family

# The network inside its loss cell.
_MODELS = Layout(rules=((r"^model\.(.+)$", r"\1"),))

FAMILY = Family(
    name="cct",
    task="image-classification",
    builder="cct",
    arguments={
        "image_size": int,
        "embed_dim": int,
        "depth": int,
        "num_heads": int,
        "mlp_ratio": NUMBER,
        "conv_layers": int,
        "kernel_size": int,
        "num_classes": int,
        "in_channels": int,
        "learnt_positions": bool,
        "norm_eps": NUMBER,
        "exact_gelu": bool,
        "dropout": NUMBER,
        "drop_path": NUMBER,
    },
    layouts={"models": _MODELS},
    head="classifier.fc",
    stem="tokenizer.conv_layers.0.0",
    position_tables=(PositionTable(r"classifier\.positional_emb", "tokens"),),
)
