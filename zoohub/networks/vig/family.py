"""ViG: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.checkpoint.position_table import PositionTable
from zoohub.networks.family import NUMBER, Family

# The network inside its loss cell.
_MODELS = Layout(rules=((r"^model\.(.+)$", r"\1"),))

FAMILY = Family(
    name="vig",
    task="image-classification",
    builder="vig",
    arguments={
        "image_size": int,
        "embed_dim": int,
        "depth": int,
        "neighbours": int,
        "mlp_ratio": NUMBER,
        "num_classes": int,
        "in_channels": int,
        "exact_gelu": bool,
        "drop_path": NUMBER,
    },
    layouts={"models": _MODELS},
    head="head.3",
    stem="patch_embed.conv1.0",
    position_tables=(PositionTable("pos_embed", "map"),),
)
