"""TPRR's ALBERT: names and arguments."""

from __future__ import annotations

from zoohub.networks.family import Family

FAMILY = Family(
    name="tprr_albert",
    task="natural-language-understanding",
    builder="tprr_albert",
    arguments={
        "vocab_size": int,
        "hidden_size": int,
        "num_hidden_layers": int,
        "num_attention_heads": int,
        "intermediate_size": int,
        "max_position_embeddings": int,
        "embedding_size": int,
    },
    inputs=("input_ids", "token_type_ids", "attention_mask"),
    raw=("states",),
)
