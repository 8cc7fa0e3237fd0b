"""OPT: names and arguments."""

from __future__ import annotations

from zoohub.networks.family import Family

FAMILY = Family(
    name="opt",
    task="language-model",
    builder="opt",
    arguments={
        "vocab_size": int,
        "embed_dim": int,
        "word_dim": int,
        "depth": int,
        "num_heads": int,
        "ffn_dim": int,
        "norms_first": bool,
        "longest": int,
    },
    inputs=("ids",),
    parts="zoohub.networks.layers.next_token:writing_parts",
    exports_parts=False,
    outputs="zoohub.outputs.continuations:continuations",
)
