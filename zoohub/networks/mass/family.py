"""MASS: names and arguments."""

from __future__ import annotations

from zoohub.networks.family import Family

FAMILY = Family(
    name="mass",
    task="natural-language-understanding",
    builder="mass",
    arguments={
        "vocab_size": int,
        "embed_dim": int,
        "depth": int,
        "num_heads": int,
        "ffn_dim": int,
        "longest": int,
    },
    sizes={"vocab_size": ("transformer.embedding_lookup.embedding_table", 0)},
    inputs=("source", "target", "mask"),
    raw=("log_probabilities",),
)
