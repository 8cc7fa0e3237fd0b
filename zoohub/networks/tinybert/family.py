"""TinyBERT: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.bert.family import ENCODER, SIZES, head_of
from zoohub.networks.family import NUMBER, Family

_PLACES = r"(.*\.|)(?:tiny)?bert_embedding_postprocessor\."
_OWN_PLACES = r"\1tinybert_embedding_postprocessor."

_DISTILLED = Layout(
    rules=(
        # At first the tables of kinds and positions were in the cell itself.
        (_PLACES + "embedding_table", _OWN_PLACES + "token_type_embedding.embedding_table"),
        (
            _PLACES + "full_position_embeddings",
            _OWN_PLACES + "full_position_embedding.embedding_table",
        ),
        # One for a task has BERT's names.
        (
            r"(.*\.|)bert_(embedding_lookup|embedding_postprocessor|encoder)\.(.+)",
            r"\1tinybert_\2.\3",
        ),
    ),
    # What taught it, and the layer that made it as wide as its teacher.
    drop=(r"(.*\.)?teacher\..+", r"(.*\.)?fit_dense\..+"),
)

FAMILY = Family(
    name="tinybert",
    task="natural-language-understanding",
    builder="tinybert",
    arguments={**ENCODER, "head": str, "num_labels": int, "dropout": NUMBER},
    layouts={"distilled": _DISTILLED},
    head=head_of,
    sizes={
        name: (place if name == "num_labels" else f"tiny{place}", axis)
        for name, (place, axis) in SIZES.items()
    },
    inputs=("input_ids", "token_type_ids", "attention_mask"),
    raw=("states", "pooled", "words", "inside_*"),
)
