"""Seq2seq: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import Family

# The graph with beam search: its decoder has the same words once more.
_SEARCH = Layout(
    rules=((r"seq2seq\.beam_decoder\.decoder\.decoder\.(.+)", r"seq2seq.seq2seq_decoder.\1"),),
    drop=(r"seq2seq\.beam_decoder\.decoder\.embedding_lookup\.embedding_table",),
)

FAMILY = Family(
    name="seq2seq",
    task="machine-translation",
    builder="seq2seq",
    arguments={"vocab_size": int, "embed_dim": int, "layers": int},
    layouts={"search": _SEARCH},
    sizes={
        "vocab_size": ("seq2seq.embedding_lookup.embedding_table", 0),
        "embed_dim": ("seq2seq.embedding_lookup.embedding_table", 1),
    },
    inputs=("source", "target"),
    raw=("log_probabilities",),
)
