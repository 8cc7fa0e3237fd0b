"""The Transformer for translation: names, arguments, and the files of its publisher."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import INT_OR_NONE, NUMBER, Family

# Files are saved from the training graph, whose loss may stand before its names.
_TRAINED = Layout(rules=((r"^(?:network\.|transformer\.)+(tfm_.+)$", r"\1"),))
# The publisher's own translator renames them, and has the embedding under the decoder's name.
_TRANSLATOR = Layout(rules=((r"^tfm_decoder\.decoder\.(tfm_.+)$", r"\1"),))

FAMILY = Family(
    name="transformer",
    task="machine-translation",
    builder="transformer",
    arguments={
        "hidden_size": int,
        "num_hidden_layers": int,
        "num_attention_heads": INT_OR_NONE,
        "intermediate_size": int,
        "vocab_size": int,
        "seq_length": int,
        "max_position_embeddings": int,
        "hidden_dropout_prob": NUMBER,
        "attention_probs_dropout_prob": NUMBER,
        "beam_width": int,
        "max_decode_length": int,
        "length_penalty_weight": NUMBER,
    },
    layouts={"models": _TRAINED, "translator": _TRANSLATOR},
    sizes={
        "hidden_size": ("tfm_embedding_lookup.embedding_table", 1),
        "num_hidden_layers": ("tfm_encoder.layers.{}.feedforward.conv1.bias", None),
        "vocab_size": ("tfm_embedding_lookup.embedding_table", 0),
        "intermediate_size": ("tfm_encoder.layers.0.feedforward.conv1.weight", 0),
    },
    inputs=("source_ids", "source_mask", "target_ids", "target_mask"),
    raw=("log_probabilities",),
    parts="parts:search_parts",
    outputs="zoohub.outputs.sequences:sequences",
)
