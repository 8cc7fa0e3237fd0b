"""BERT: names, arguments, and what other publishers call the same parameters."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.bert.hugging_names import bert_layout, transformers_layout
from zoohub.networks.family import NUMBER, Arguments, Family

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

# The models repository at first had the tables of kinds and positions in the cell itself.
OLD = Layout(
    rules=(
        (
            r"(.*bert_embedding_postprocessor)\.embedding_table",
            r"\1.token_type_embedding.embedding_table",
        ),
        (
            r"(.*bert_embedding_postprocessor)\.full_position_embeddings",
            r"\1.full_position_embedding.embedding_table",
        ),
        (r"(.*_relative_positions_embeddings)\.embeddings_for_position", r"\1.embeddings_table"),
    )
)

# What goes from class to class is the loss's there.
_CHAIN = Layout(rules=((r"loss\.transitions", "transitions"),))

# What the fine-tuning scripts save stands behind the loss's cell.
TRAINED = Layout(rules=((r"(?:bert|ernie)\.(.+\..+)", r"\1"),))
_TRAINED_OLD = Layout(
    rules=(
        (
            r"bert\.(bert\.bert_embedding_postprocessor)\.embedding_table",
            r"\1.token_type_embedding.embedding_table",
        ),
        (
            r"bert\.(bert\.bert_embedding_postprocessor)\.full_position_embeddings",
            r"\1.full_position_embedding.embedding_table",
        ),
        *TRAINED.rules,
    )
)


def head_of(arguments: Arguments) -> str:
    """The classifier's prefix, where there is one."""
    classifies = ("classification", "tagging", "chain-tagging", "recurrent-chain-tagging")
    return "dense_1" if arguments.get("head") in classifies else ""


# The first is the default.
BERT_HEADS = (
    "encoder",
    "pretraining",
    "classification",
    "tagging",
    "chain-tagging",
    "recurrent-chain-tagging",
    "question-answering",
)
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
# Sizes that publishers' words, kinds and classes make.
SIZES = {
    "vocab_size": ("bert_embedding_lookup.embedding_table", 0),
    "max_position_embeddings": (
        "bert_embedding_postprocessor.full_position_embedding.embedding_table",
        0,
    ),
    "type_vocab_size": ("bert_embedding_postprocessor.token_type_embedding.embedding_table", 0),
    "num_labels": ("dense_1.weight", 0),
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
        "turned": bool,
    },
    layouts={
        "mindnlp": bert_layout(),
        "transformers": transformers_layout(),
        "mindformers": _MINDFORMERS,
        "old": OLD,
        "chain": _CHAIN,
        "trained": TRAINED,
        "trained_old": _TRAINED_OLD,
    },
    head=head_of,
    sizes=SIZES,
    inputs=("input_ids", "token_type_ids", "attention_mask"),
    raw=("states", "pooled", "words"),
    outputs="zoohub.outputs.text_heads:text_head",
    heads=BERT_HEADS,
    cut="zoohub.networks.layers.cuts:cut_head",
)
