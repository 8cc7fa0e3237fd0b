"""The LSTM that tags chains: names and arguments."""

from __future__ import annotations

from zoohub.networks.family import Family

FAMILY = Family(
    name="lstm_crf",
    task="named-entity-recognition",
    builder="lstm_crf",
    arguments={
        "vocab_size": int,
        "embed_dim": int,
        "hidden": int,
        "layers": int,
        "num_labels": int,
    },
    head="transitions lstm.fc",
    sizes={
        "vocab_size": ("lstm.embedding.embedding_table", 0),
        "embed_dim": ("lstm.embedding.embedding_table", 1),
        "hidden": ("lstm.lstm.weight_hh_l0", 1),
        "layers": ("lstm.lstm.weight_hh_l{}", None),
        "num_labels": ("transitions", 0),
    },
    inputs=("ids",),
    raw=("tags", "after"),
    outputs="zoohub.outputs.text_heads:text_head",
)
