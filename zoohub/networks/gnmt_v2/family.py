"""GNMT: names and arguments."""

from __future__ import annotations

from zoohub.networks.family import Family

FAMILY = Family(
    name="gnmt_v2",
    task="natural-language-understanding",
    builder="gnmt_v2",
    arguments={"vocab_size": int, "embed_dim": int, "layers": int, "split_weights": bool},
    sizes={
        "vocab_size": ("gnmt.embedding_lookup.embedding_table", 0),
        "embed_dim": ("gnmt.embedding_lookup.embedding_table", 1),
    },
    inputs=("source", "target", "mask"),
    raw=("log_probabilities",),
)
