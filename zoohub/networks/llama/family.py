"""LLaMA and its kind: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import INT_OR_NONE, NUMBER, Family

# Qwen's gate and what it is multiplied with have each other's names.
_QWEN = Layout(
    rules=(
        (r"transformer\.wte\.(.+)", r"model.tok_embeddings.\1"),
        (r"transformer\.ln_f\.(.+)", r"model.norm_out.\1"),
        (r"transformer\.(layers\.\d+\.feed_forward)\.w1\.(.+)", r"model.\1.w3.\2"),
        (r"transformer\.(layers\.\d+\.feed_forward)\.w3\.(.+)", r"model.\1.w1.\2"),
        (r"transformer\.(layers\..+)", r"model.\1"),
    )
)

FAMILY = Family(
    name="llama",
    task="language-model",
    builder="llama",
    arguments={
        "vocab_size": int,
        "embed_dim": int,
        "depth": int,
        "num_heads": int,
        "kv_heads": INT_OR_NONE,
        "ffn_dim": int,
        "norm_eps": NUMBER,
        "qkv_bias": bool,
        "out_bias": bool,
        "down_bias": bool,
        "joint_kv": bool,
        "head": str,
        "positions": str,
        "longest": int,
    },
    layouts={"qwen": _QWEN},
    sizes={
        "vocab_size": ("model.tok_embeddings.embedding_weight", 0),
        "depth": ("model.layers.{}.attention_norm.weight", None),
        "ffn_dim": ("model.layers.0.feed_forward.w1.weight", 0),
    },
    inputs=("ids",),
    parts="zoohub.networks.layers.next_token:writing_parts",
    exports_parts=False,
    outputs="zoohub.outputs.continuations:continuations",
)
