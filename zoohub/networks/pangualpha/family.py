"""PanGu-α as MindFormers has it: names and arguments."""

from __future__ import annotations

from zoohub.networks.family import INT_OR_NONE, Family

FAMILY = Family(
    name="pangualpha",
    task="language-model",
    builder="pangualpha",
    arguments={
        "vocab_size": int,
        "embed_dim": int,
        "depth": int,
        "num_heads": int,
        "ffn_dim": INT_OR_NONE,
        "longest": int,
    },
    sizes={
        "vocab_size": ("backbone.embedding.word_embedding.embedding_table", 0),
        "longest": ("backbone.embedding.position_embedding.embedding_table", 0),
    },
    inputs=("ids",),
    parts="zoohub.networks.layers.next_token:writing_parts",
    exports_parts=False,
    outputs="zoohub.outputs.continuations:continuations",
)
