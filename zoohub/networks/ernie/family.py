"""ERNIE 1.0: names and arguments."""

from __future__ import annotations

from zoohub.networks.bert.family import BERT_HEADS, ENCODER, SIZES, TRAINED, head_of
from zoohub.networks.family import NUMBER, Family

FAMILY = Family(
    name="ernie",
    task="natural-language-understanding",
    builder="ernie",
    arguments={
        **ENCODER,
        "head": str,
        "num_labels": int,
        "log_softmax": bool,
        "dropout": NUMBER,
    },
    layouts={"trained": TRAINED},
    head=head_of,
    sizes={name: (place.replace("bert", "ernie"), axis) for name, (place, axis) in SIZES.items()},
    inputs=("input_ids", "token_type_ids", "attention_mask"),
    raw=("states", "pooled", "words"),
    outputs="zoohub.outputs.text_heads:text_head",
    heads=BERT_HEADS,
    cut="zoohub.networks.layers.cuts:cut_head",
)
