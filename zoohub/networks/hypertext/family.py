"""HyperText: names and arguments."""

from __future__ import annotations

from zoohub.networks.family import Family

FAMILY = Family(
    name="hypertext",
    task="text-classification",
    builder="hypertext",
    arguments={"vocab_size": int, "ngrams": int, "embed_dim": int, "num_classes": int},
    sizes={
        "vocab_size": ("embedding", 0),
        "ngrams": ("embedding_wordngram", 0),
        "embed_dim": ("embedding", 1),
        "num_classes": ("hyperLinear.weight", 0),
    },
    head="hyperLinear",
    inputs=("ids", "ngrams"),
)
