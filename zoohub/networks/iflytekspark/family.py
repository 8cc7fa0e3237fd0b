"""iFlytekSpark: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import Family

# The masks are among the files' parameters; what came before follows from the places.
_MINDFORMERS = Layout(drop=(r"transformer\.get_attention_mask_\w+\.slice_sparse_mask",))

FAMILY = Family(
    name="iflytekspark",
    task="language-model",
    builder="iflytekspark",
    arguments={
        "vocab_size": int,
        "embed_dim": int,
        "depth": int,
        "num_heads": int,
        "ffn_dim": int,
        "longest": int,
    },
    layouts={"mindformers": _MINDFORMERS},
    inputs=("ids",),
    parts="zoohub.networks.layers.next_token:writing_parts",
    exports_parts=False,
    outputs="zoohub.outputs.continuations:continuations",
)
