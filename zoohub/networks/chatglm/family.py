"""ChatGLM, the first: names and arguments."""

from __future__ import annotations

from zoohub.networks.family import Family

FAMILY = Family(
    name="chatglm",
    task="language-model",
    builder="chatglm",
    arguments={
        "vocab_size": int,
        "embed_dim": int,
        "depth": int,
        "num_heads": int,
        "ffn_dim": int,
        "longest": int,
        "mask_id": int,
        "start_id": int,
    },
    sizes={
        "vocab_size": ("transformer.word_embeddings.embedding_table", 0),
        "embed_dim": ("transformer.word_embeddings.embedding_table", 1),
        "depth": ("transformer.layers.{}.input_layernorm.gamma", None),
    },
    inputs=("ids",),
)
