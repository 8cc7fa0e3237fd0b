"""Skip-gram: names and arguments."""

from __future__ import annotations

from zoohub.networks.family import Family

FAMILY = Family(
    name="skipgram",
    task="word-embedding",
    builder="skipgram",
    arguments={"vocab_size": int, "embed_dim": int},
    sizes={
        "vocab_size": ("c_emb.embedding_table", 0),
        "embed_dim": ("c_emb.embedding_table", 1),
    },
    inputs=("centers", "near", "others"),
    sequences=False,
    takes="inputs:taken",
    raw=("losses",),
)
