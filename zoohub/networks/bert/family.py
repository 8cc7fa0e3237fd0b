"""BERT: names, arguments, and what other publishers call the same parameters."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import NUMBER, Arguments, Family

_HUGGING = r"(|bert\.)encoder\.layer\.(\d+)\."
_LAYER = r"\1bert_encoder.layers.\2."
_WORDS = r"\1bert_embedding_lookup.embedding_table"
_PLACES = r"\1bert_embedding_postprocessor."

# Hugging Face's names as MindNLP spells them.
_MINDNLP = Layout(
    rules=(
        (r"(|bert\.)embeddings\.word_embeddings\.embedding_table", _WORDS),
        (
            r"(|bert\.)embeddings\.position_embeddings\.(.+)",
            _PLACES + r"full_position_embedding.\2",
        ),
        (r"(|bert\.)embeddings\.token_type_embeddings\.(.+)", _PLACES + r"token_type_embedding.\2"),
        (r"(|bert\.)embeddings\.layer_norm\.(.+)", _PLACES + r"layernorm.\2"),
        (
            _HUGGING + r"attention\.self_attn\.(query|key|value)\.(.+)",
            _LAYER + r"attention.attention.\3_layer.\4",
        ),
        (_HUGGING + r"attention\.output\.dense\.(.+)", _LAYER + r"attention.output.dense.\3"),
        (
            _HUGGING + r"attention\.output\.layer_norm\.(.+)",
            _LAYER + r"attention.output.layernorm.\3",
        ),
        (_HUGGING + r"intermediate\.dense\.(.+)", _LAYER + r"intermediate.\3"),
        (_HUGGING + r"output\.dense\.(.+)", _LAYER + r"output.dense.\3"),
        (_HUGGING + r"output\.layer_norm\.(.+)", _LAYER + r"output.layernorm.\3"),
        (r"(|bert\.)pooler\.dense\.(.+)", r"\1dense.\2"),
        (r"cls\.predictions\.bias", "cls1.output_bias"),
        (r"cls\.predictions\.transform\.dense\.(.+)", r"cls1.dense.\1"),
        (r"cls\.predictions\.transform\.layer_norm\.(.+)", r"cls1.layernorm.\1"),
        (r"cls\.seq_relationship\.(.+)", r"cls2.dense.\1"),
        (r"classifier\.(.+)", r"dense_1.\1"),
        (r"qa_outputs\.(.+)", r"dense1.\1"),
    ),
    # The table of words once more, and a row of numbers, in files made from PyTorch's.
    drop=(r"cls\.predictions\.decoder\..+", r"(bert\.)?embeddings\.position_ids"),
)

_BLOCK = r"bert\.bert_encoder\.encoder\.blocks\.(\d+)\."
_OWN_BLOCK = r"bert.bert_encoder.layers.\1."

_MINDFORMERS = Layout(
    rules=(
        (r"bert\.word_embedding\.(.+)", r"bert.bert_embedding_lookup.\1"),
        (r"bert\.embedding_postprocessor\.(.+)", r"bert.bert_embedding_postprocessor.\1"),
        (_BLOCK + r"attention\.dense1\.(.+)", _OWN_BLOCK + r"attention.attention.query_layer.\2"),
        (_BLOCK + r"attention\.dense2\.(.+)", _OWN_BLOCK + r"attention.attention.key_layer.\2"),
        (_BLOCK + r"attention\.dense3\.(.+)", _OWN_BLOCK + r"attention.attention.value_layer.\2"),
        (_BLOCK + r"attention\.projection\.(.+)", _OWN_BLOCK + r"attention.output.dense.\2"),
        (_BLOCK + r"layernorm2\.(.+)", _OWN_BLOCK + r"attention.output.layernorm.\2"),
        (_BLOCK + r"output\.mapping\.(.+)", _OWN_BLOCK + r"intermediate.\2"),
        (_BLOCK + r"output\.projection\.(.+)", _OWN_BLOCK + r"output.dense.\2"),
        (_BLOCK + r"layernorm1\.(.+)", _OWN_BLOCK + r"output.layernorm.\2"),
        (r"mlmloss\.(.+)", r"cls1.\1"),
        (r"nsploss\.(.+)", r"cls2.\1"),
        (r"classifier\.(.+)", r"dense_1.\1"),
        (r"qa_outputs\.(.+)", r"dense1.\1"),
    )
)

# The models repository before r1.2 had the tables of kinds and positions in the cell itself.
_OLD = Layout(
    rules=(
        (
            r"(.*bert_embedding_postprocessor)\.embedding_table",
            r"\1.token_type_embedding.embedding_table",
        ),
        (
            r"(.*bert_embedding_postprocessor)\.full_position_embeddings",
            r"\1.full_position_embedding.embedding_table",
        ),
    )
)

# What the fine-tuning scripts save stands behind the loss's cell.
TRAINED = Layout(rules=((r"(?:bert|ernie)\.(.+\..+)", r"\1"),))


def head_of(arguments: Arguments) -> str:
    """The classifier's prefix, where there is one."""
    return "dense_1" if arguments.get("head") in ("classification", "tagging") else ""


ENCODER = {
    "vocab_size": int,
    "hidden_size": int,
    "num_hidden_layers": int,
    "num_attention_heads": int,
    "intermediate_size": int,
    "max_position_embeddings": int,
    "type_vocab_size": int,
    "hidden_act": str,
    "layer_norm_eps": NUMBER,
}

FAMILY = Family(
    name="bert",
    task="natural-language-understanding",
    builder="bert",
    arguments={
        **ENCODER,
        "head": str,
        "num_labels": int,
        "log_softmax": bool,
        "longest_distance": int,
        "dropout": NUMBER,
    },
    layouts={"mindnlp": _MINDNLP, "mindformers": _MINDFORMERS, "old": _OLD, "trained": TRAINED},
    head=head_of,
    inputs=("input_ids", "token_type_ids", "attention_mask"),
    raw=("states", "pooled", "words"),
)
