"""T5: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import Family

# The published files have the logits' weights too, where those are the words'.
_TIED = Layout(drop=(r"lm_head\.weight", r"encoder\.embed_tokens\.embedding_table"))

FAMILY = Family(
    name="t5",
    task="natural-language-understanding",
    builder="t5",
    arguments={
        "vocab_size": int,
        "embed_dim": int,
        "head_dim": int,
        "ffn_dim": int,
        "depth": int,
        "num_heads": int,
        "tied_head": bool,
        "longest": int,
    },
    layouts={"tied": _TIED},
    inputs=("ids", "decoder_ids", "mask"),
    parts="parts:writing_parts",
    exports_parts=False,
    outputs="zoohub.outputs.continuations:continuations",
)
