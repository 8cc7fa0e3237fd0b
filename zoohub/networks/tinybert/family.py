"""TinyBERT: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.bert.family import ENCODER, SIZES, head_of
from zoohub.networks.family import NUMBER, Family

_KINDS = "token_type_embedding.embedding_table"
_POSITIONS = "full_position_embedding.embedding_table"
_WRAPPED = r"bert\.bert\.bert_embedding_postprocessor\."
_PLACES = "tinybert_embedding_postprocessor."

# As training saved them: behind the cell of the loss, for a task with BERT's names, and at first
# with the tables of kinds and positions in the cell itself.
_DISTILLED = Layout(
    rules=(
        (_WRAPPED + "embedding_table", f"tinybert.{_PLACES}{_KINDS}"),
        (_WRAPPED + "full_position_embeddings", f"tinybert.{_PLACES}{_POSITIONS}"),
        (
            r"bert\.bert\.bert_(embedding_lookup|embedding_postprocessor|encoder)\.(.+)",
            r"tinybert.tinybert_\1.\2",
        ),
        (r"bert\.bert\.dense\.(.+)", r"tinybert.dense.\1"),
        (r"bert\.dense_1\.(.+)", r"dense_1.\1"),
        (rf"(?:bert\.)?{_PLACES}embedding_table", f"{_PLACES}{_KINDS}"),
        (rf"(?:bert\.)?{_PLACES}full_position_embeddings", f"{_PLACES}{_POSITIONS}"),
        (r"bert\.(tinybert_.+)", r"\1"),
        (r"bert\.dense\.(.+)", r"dense.\1"),
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
    outputs="zoohub.outputs.text_heads:text_head",
    heads=("encoder", "classification"),
    cut="zoohub.networks.layers.cuts:cut_head",
)
