"""ALBERT: names and arguments."""

from __future__ import annotations

from zoohub.networks.bert.family import ENCODER, head_of
from zoohub.networks.family import NUMBER, Family

FAMILY = Family(
    name="albert",
    task="natural-language-understanding",
    builder="albert",
    arguments={
        **ENCODER,
        "embedding_size": int,
        "head": str,
        "num_labels": int,
        "dropout": NUMBER,
    },
    head=head_of,
    sizes={
        "vocab_size": ("albert_embedding_lookup.embedding_table", 0),
        "num_labels": ("dense_1.weight", 0),
    },
    inputs=("input_ids", "token_type_ids", "attention_mask"),
    raw=("states", "pooled", "words"),
    outputs="zoohub.outputs.text_heads:text_head",
    heads=("encoder", "classification", "question-answering"),
    cut="zoohub.networks.layers.cuts:cut_head",
)
