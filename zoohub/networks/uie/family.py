"""UIE: names and arguments."""

from __future__ import annotations

from zoohub.networks.bert.family import ENCODER
from zoohub.networks.family import NUMBER, Family

FAMILY = Family(
    name="uie",
    task="natural-language-understanding",
    builder="uie",
    arguments={
        **ENCODER,
        "block_norm_eps": NUMBER,
        "task_type_vocab_size": int,
        "head": str,
        "dropout": NUMBER,
    },
    sizes={
        "vocab_size": ("ernie.embeddings.word_embeddings.embedding_table", 0),
        "max_position_embeddings": ("ernie.embeddings.position_embeddings.embedding_table", 0),
        "type_vocab_size": ("ernie.embeddings.token_type_embeddings.embedding_table", 0),
        "task_type_vocab_size": ("ernie.embeddings.task_type_embeddings.embedding_table", 0),
    },
    inputs=("input_ids", "token_type_ids", "position_ids", "attention_mask"),
    raw=("starts", "ends"),
    outputs="zoohub.outputs.text_heads:spans",
    heads=("spans", "encoder"),
    cut="zoohub.networks.layers.cuts:cut_head",
)
