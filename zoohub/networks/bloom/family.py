"""BLOOM: names and arguments."""

from __future__ import annotations

from zoohub.networks.family import Family

FAMILY = Family(
    name="bloom",
    task="language-model",
    builder="bloom",
    arguments={
        "vocab_size": int,
        "embed_dim": int,
        "depth": int,
        "num_heads": int,
        "longest": int,
    },
    sizes={
        "vocab_size": ("embedding.word_embedding.embedding_table", 0),
        "embed_dim": ("embedding.word_embedding.embedding_table", 1),
        "depth": ("blocks.{}.layernorm1.gamma", None),
    },
    inputs=("ids",),
    parts="zoohub.networks.layers.next_token:writing_parts",
    exports_parts=False,
    outputs="zoohub.outputs.continuations:continuations",
)
