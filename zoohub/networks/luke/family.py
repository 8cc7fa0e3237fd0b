"""LUKE: names and arguments."""

from __future__ import annotations

from zoohub.networks.bert.family import ENCODER
from zoohub.networks.family import NUMBER, Family

FAMILY = Family(
    name="luke",
    task="natural-language-understanding",
    builder="luke",
    arguments={
        **ENCODER,
        "entity_vocab_size": int,
        "entity_emb_size": int,
        "half_precision": bool,
        "dropout": NUMBER,
    },
    sizes={
        "vocab_size": ("luke.embeddings.word_embeddings.embedding_table", 0),
        "entity_vocab_size": ("luke.entity_embeddings.entity_embeddings.embedding_table", 0),
    },
    inputs=(
        "word_ids",
        "word_segment_ids",
        "word_attention_mask",
        "entity_ids",
        "entity_position_ids",
        "entity_segment_ids",
        "entity_attention_mask",
    ),
    sequences=False,
    takes="inputs:taken",
    raw=("starts", "ends"),
)
