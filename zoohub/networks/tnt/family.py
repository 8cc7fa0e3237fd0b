"""TNT: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.checkpoint.position_table import PositionTable
from zoohub.networks.family import NUMBER, Family
from zoohub.networks.picture_sizes import square_of

# The network inside its loss cell; files without it keep their names.
_MODELS = Layout(rules=((r"^model\.(.+)$", r"\1"),))

FAMILY = Family(
    name="tnt",
    task="image-classification",
    builder="tnt",
    arguments={
        "image_size": int,
        "patch_size": int,
        "stride": int,
        "inner_dim": int,
        "outer_dim": int,
        "depth": int,
        "inner_heads": int,
        "outer_heads": int,
        "mlp_ratio": NUMBER,
        "num_classes": int,
        "in_channels": int,
        "norm_eps": NUMBER,
        "exact_gelu": bool,
        "dropout": NUMBER,
        "drop_path": NUMBER,
    },
    layouts={"models": _MODELS},
    head="head",
    sides=square_of,
    stem="patch_embed.proj",
    position_tables=(PositionTable("outer_pos", "tokens", prefix_tokens=1),),
)
