"""The translator of gated recurrent units: names and arguments."""

from __future__ import annotations

from zoohub.networks.family import Family

FAMILY = Family(
    name="gru",
    task="natural-language-understanding",
    builder="gru",
    arguments={"source_vocab": int, "target_vocab": int, "embed_dim": int, "hidden": int},
    sizes={
        "source_vocab": ("encoder.embedding.embedding_table", 0),
        "target_vocab": ("decoder.embedding.embedding_table", 0),
        "embed_dim": ("encoder.embedding.embedding_table", 1),
        "hidden": ("encoder.rnn.weight_hh_l0", 1),
    },
    inputs=("source", "target"),
    raw=("log_probabilities",),
)
