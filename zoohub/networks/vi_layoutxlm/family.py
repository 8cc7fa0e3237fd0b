"""VI-LayoutXLM: names and arguments, and what MindOCR calls the encoder's parameters."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import NUMBER, Arguments, Family

ARGUMENTS = {
    "vocab_size": int,
    "hidden_size": int,
    "num_hidden_layers": int,
    "num_attention_heads": int,
    "intermediate_size": int,
    "max_position_embeddings": int,
    "max_2d_position_embeddings": int,
    "num_labels": int,
    "dropout": NUMBER,
}

_BLOCK = r"encoder\.layer\.(\d+)\."
_OWN = r"backbone.encoder.layers.\1."
_RULES = (
    (_BLOCK + r"attention\.self_attention\.(\w+)\.(.+)", _OWN + r"attention.attention.\2_layer.\3"),
    (_BLOCK + r"attention\.output\.dense\.(.+)", _OWN + r"attention.output.dense.\2"),
    (_BLOCK + r"attention\.output\.LayerNorm\.(.+)", _OWN + r"attention.output.layernorm.\2"),
    (_BLOCK + r"intermediate\.dense\.(.+)", _OWN + r"intermediate.\2"),
    (_BLOCK + r"output\.dense\.(.+)", _OWN + r"output.dense.\2"),
    (_BLOCK + r"output\.LayerNorm\.(.+)", _OWN + r"output.layernorm.\2"),
    (r"pooler\.dense\.(.+)", r"backbone.pooler.\1"),
)
# A row of numbers, which places are counted by.
_DROP = r"(.*\.)?embeddings\.position_ids"


def layouts(more: tuple[tuple[str, str], ...] = ()) -> dict[str, Layout]:
    """Of a network with its head, and of a start file, which has no `backbone.` before its names.

    `more` are rules of the picture's network, without that prefix.
    """
    rules = (*_RULES, *more)
    bare = (r"(embeddings\..+|visual.+)", r"backbone.\1")
    return {
        "mindocr": Layout(
            rules=tuple((rf"backbone\.{old}", new) for old, new in rules), drop=(_DROP,)
        ),
        "mindocr_start": Layout(rules=(*rules, bare), drop=(_DROP,)),
    }


def head_of(arguments: Arguments) -> str:
    """The classifier's prefix, where there is one."""
    return "" if arguments.get("num_labels") == 0 else "head.classifier"


FAMILY = Family(
    name="vi_layoutxlm",
    task="key-information-extraction",
    builder="vi_layoutxlm",
    arguments=ARGUMENTS,
    layouts=layouts(),
    head=head_of,
    inputs=("input_ids", "bbox", "attention_mask", "token_type_ids"),
    sequences=False,
    raw=("logits",),
)
