"""Senta: names, arguments, and what the published file calls the same parameters."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.bert.family import BERT_HEADS, ENCODER, SIZES, TRAINED, head_of
from zoohub.networks.family import NUMBER, Family

# The training script's file: all stands behind the loss's cell, and the classifier has the name
# that the pooled state's layer has a level below.
_PLACES = r"bert\.(bert\.bert_embedding_postprocessor)\."
_TRAINED = Layout(
    rules=(
        (r"bert\.dense\.(.+)", r"dense_1.\1"),
        (_PLACES + "embedding_table", r"\1.token_type_embedding.embedding_table"),
        (_PLACES + "full_position_embeddings", r"\1.full_position_embedding.embedding_table"),
        *TRAINED.rules,
    )
)
# The others tell two texts apart by kinds of tokens, of which Senta's table has one.
_HEADS = tuple(head for head in BERT_HEADS if head not in ("pretraining", "question-answering"))

FAMILY = Family(
    name="senta",
    task="emotion-classification",
    builder="senta",
    arguments={
        **ENCODER,
        "head": str,
        "num_labels": int,
        "half_precision": bool,
        "dropout": NUMBER,
    },
    layouts={"trained": _TRAINED},
    head=head_of,
    sizes=SIZES,
    inputs=("input_ids", "token_type_ids", "attention_mask"),
    takes="inputs:taken",
    raw=("states", "pooled", "words"),
    outputs="zoohub.outputs.text_heads:text_head",
    heads=_HEADS,
    cut="zoohub.networks.layers.cuts:cut_head",
)
