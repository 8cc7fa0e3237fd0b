"""fastText: names and arguments."""

from __future__ import annotations

from zoohub.networks.family import Family

FAMILY = Family(
    name="fasttext",
    task="natural-language-understanding",
    builder="fasttext",
    arguments={"vocab_size": int, "embed_dim": int, "num_classes": int},
    head="fc",
    sizes={"vocab_size": ("embeding_func.embedding_table", 0), "num_classes": ("fc.weight", 0)},
    inputs=("ids", "lengths"),
    sequences=False,
)
