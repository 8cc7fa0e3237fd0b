"""The LSTM classifier: names and arguments."""

from __future__ import annotations

from zoohub.networks.family import Family

FAMILY = Family(
    name="lstm",
    task="emotion-classification",
    builder="lstm",
    arguments={
        "vocab_size": int,
        "embed_dim": int,
        "hidden": int,
        "layers": int,
        "num_classes": int,
        "joint": bool,
    },
    head="decoder",
    sizes={
        "vocab_size": ("embedding.embedding_table", 0),
        "embed_dim": ("embedding.embedding_table", 1),
        "hidden": ("encoder.weight_hh_l0", 1),
        "layers": ("encoder.weight_hh_l{}", None),
        "num_classes": ("decoder.weight", 0),
    },
    inputs=("ids",),
)
