"""NEZHA: names, arguments, and what MindNLP calls the same parameters."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.bert.family import BERT_HEADS, ENCODER, SIZES, head_of
from zoohub.networks.bert.hugging_names import POSITION_IDS, encoder_rules, head_rules
from zoohub.networks.family import NUMBER, Family

FAMILY = Family(
    name="nezha",
    task="natural-language-understanding",
    builder="nezha",
    arguments={
        **ENCODER,
        "max_relative_position": int,
        "head": str,
        "num_labels": int,
        "log_softmax": bool,
        "dropout": NUMBER,
    },
    layouts={
        "mindnlp": Layout(
            rules=(
                (r"cls\.predictions\.decoder\.weight", "cls1.decoder.weight"),
                *encoder_rules("nezha", attention="self", norm="LayerNorm"),
                *head_rules(norm="LayerNorm"),
            ),
            drop=(POSITION_IDS,),
        )
    },
    head=head_of,
    sizes={name: place for name, place in SIZES.items() if name != "max_position_embeddings"},
    constants=(r".*\.positions_encoding",),
    inputs=("input_ids", "token_type_ids", "attention_mask"),
    raw=("words", "next_sentence"),
    outputs="zoohub.outputs.text_heads:text_head",
    heads=("pretraining", *(head for head in BERT_HEADS if head != "pretraining")),
    cut="zoohub.networks.layers.cuts:cut_head",
)
