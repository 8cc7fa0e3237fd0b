"""KT-NET: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.bert.family import ENCODER, OLD
from zoohub.networks.family import Family

FAMILY = Family(
    name="ktnet",
    task="natural-language-understanding",
    builder="ktnet",
    arguments={
        **ENCODER,
        "wn_vocab_size": int,
        "nell_vocab_size": int,
        "wn_concepts": int,
        "nell_concepts": int,
        "concept_size": int,
    },
    layouts={"models": Layout(rules=OLD.rules)},
    sizes={
        "wn_vocab_size": ("embedding_wn.embedding_table", 0),
        "nell_vocab_size": ("embedding_nell.embedding_table", 0),
    },
    inputs=(
        "input_ids",
        "token_type_ids",
        "attention_mask",
        "wn_concept_ids",
        "nell_concept_ids",
    ),
    sequences=False,
    takes="inputs:taken",
    raw=("starts", "ends"),
)
