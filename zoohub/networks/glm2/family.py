"""ChatGLM2: names and arguments."""

from __future__ import annotations

from zoohub.networks.family import NUMBER, Family

FAMILY = Family(
    name="glm2",
    task="language-model",
    builder="glm2",
    arguments={
        "vocab_size": int,
        "embed_dim": int,
        "depth": int,
        "num_heads": int,
        "kv_heads": int,
        "head_dim": int,
        "ffn_dim": int,
        "rope_ratio": NUMBER,
        "longest": int,
    },
    sizes={"vocab_size": ("transformer.embedding.embedding_table", 0)},
    inputs=("ids",),
    parts="zoohub.networks.layers.next_token:writing_parts",
    exports_parts=False,
    outputs="zoohub.outputs.continuations:continuations",
)
