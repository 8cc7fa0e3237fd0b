"""PanGu-α as MindNLP has it: names and arguments."""

from __future__ import annotations

from zoohub.networks.family import Family

FAMILY = Family(
    name="pangu",
    task="language-model",
    builder="pangu",
    arguments={
        "vocab_size": int,
        "embed_dim": int,
        "depth": int,
        "num_heads": int,
        "longest": int,
    },
    constants=(r"transformer\.h\.\d+\.attn\.(bias|masked_bias)",),
    inputs=("ids",),
    parts="zoohub.networks.layers.next_token:writing_parts",
    exports_parts=False,
    outputs="zoohub.outputs.continuations:continuations",
)
