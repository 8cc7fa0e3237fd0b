"""GPT-2 with query, key and value apart: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import INT_OR_NONE, Family

# The models repository's; the first of its files have names of their own for two layers' weights.
_MODELS = Layout(
    rules=(
        (r"backbone\.blocks\.(.+)\.mapping_(weight|bias)", r"backbone.blocks.\1.\2"),
        (r"backbone\.(word|position)_embedding\.(.+)", r"backbone.embedding.\1_embedding.\2"),
        (r"backbone\.encoder\.blocks\.(.+)", r"backbone.blocks.\1"),
    )
)

FAMILY = Family(
    name="gpt2_split",
    task="language-model",
    builder="gpt2_split",
    arguments={
        "vocab_size": int,
        "embed_dim": int,
        "depth": int,
        "num_heads": int,
        "kv_heads": INT_OR_NONE,
        "ffn_dim": INT_OR_NONE,
        "longest": int,
    },
    layouts={"models": _MODELS},
    sizes={
        "vocab_size": ("backbone.embedding.word_embedding.embedding_table", 0),
        "embed_dim": ("backbone.embedding.word_embedding.embedding_table", 1),
        "longest": ("backbone.embedding.position_embedding.embedding_table", 0),
        "depth": ("backbone.blocks.{}.layernorm1.gamma", None),
    },
    inputs=("ids",),
    parts="zoohub.networks.layers.next_token:writing_parts",
    exports_parts=False,
    outputs="zoohub.outputs.continuations:continuations",
)
