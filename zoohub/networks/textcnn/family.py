"""TextCNN: names and arguments."""

from __future__ import annotations

from zoohub.networks.family import SEQUENCE, Family

FAMILY = Family(
    name="textcnn",
    task="natural-language-understanding",
    builder="textcnn",
    arguments={
        "vocab_size": int,
        "embed_dim": int,
        "channels": int,
        "kernels": SEQUENCE,
        "num_classes": int,
    },
    head="fc",
    sizes={"vocab_size": ("embedding.embedding_table", 0), "num_classes": ("fc.weight", 0)},
    inputs=("ids",),
)
