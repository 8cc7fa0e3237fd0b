"""LLaMA and its kind: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import INT_OR_NONE, NUMBER, Arguments, Family

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


def _from_config(known: Arguments, given: Arguments) -> Arguments:
    """MindFormers' terms: the feed-forward's width is 8/3 of the channels, a multiple of
    `multiple_of`, and `ffn_dim_multiplier` times that (TeleChat's, whose keys and values are one
    layer, is the width itself); `has_bias` is that of all attention's layers (InternLM)."""
    found = dict(given)
    bias = found.pop("has_bias", None)
    if bias is not None:
        found |= {"qkv_bias": bias, "out_bias": bias}
    multiple, factor = found.pop("multiple_of", 1), found.pop("ffn_dim_multiplier", None)
    channels = found.get("hidden_size", found.get("embed_dim", known.get("embed_dim", 4096)))
    said = multiple != 1 or factor is not None
    if (
        not said
        or "intermediate_size" in found
        or not (isinstance(multiple, int) and isinstance(channels, int))
    ):
        return found
    if known.get("joint_kv") and factor is not None:
        return {**found, "ffn_dim": factor}
    width = int(8 * channels / 3)
    if isinstance(factor, int | float):
        width = int((factor + 0.01) * width)
    return {**found, "ffn_dim": -(-width // multiple) * multiple}


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
    from_config=_from_config,
)
