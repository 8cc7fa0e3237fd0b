"""CMT: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.checkpoint.position_table import PositionTable
from zoohub.networks.family import FEATURES, NUMBER, SEQUENCE, Family
from zoohub.networks.picture_sizes import square_of

FAMILY = Family(
    name="cmt",
    task="image-classification",
    builder="cmt",
    arguments={
        "image_size": int,
        "stem_channels": int,
        "embed_dims": SEQUENCE,
        "depths": SEQUENCE,
        "num_heads": SEQUENCE,
        "mlp_ratios": SEQUENCE,
        "sr_ratios": SEQUENCE,
        "fc_dim": int,
        "relative_positions": bool,
        "num_classes": int,
        "in_channels": int,
        "norm_eps": NUMBER,
        "exact_gelu": bool,
        "dropout": NUMBER,
        "drop_path": NUMBER,
        **FEATURES,
    },
    layouts={"mindcv": Layout()},
    head="head",
    sides=square_of,
    stem="stem_conv1",
    position_tables=(PositionTable("relative_pos_[abcd]", "pairs"),),
)
