"""TextRCNN: names and arguments."""

from __future__ import annotations

from zoohub.networks.family import Family

FAMILY = Family(
    name="textrcnn",
    task="text-classification",
    builder="textrcnn",
    arguments={
        "cell": str,
        "vocab_size": int,
        "embed_dim": int,
        "hidden": int,
        "num_classes": int,
    },
    sizes={"vocab_size": ("embedding.embedding_table", 0)},
    inputs=("ids",),
)
