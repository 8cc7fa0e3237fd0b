"""RoBERTa: names, arguments, and what MindNLP calls the same parameters."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.bert.family import ENCODER, SIZES
from zoohub.networks.bert.hugging_names import POSITION_IDS, encoder_rules
from zoohub.networks.family import NUMBER, Arguments, Family

_RULES = (
    *encoder_rules("roberta"),
    (r"lm_head\.bias", "cls1.output_bias"),
    (r"lm_head\.dense\.(.+)", r"cls1.dense.\1"),
    (r"lm_head\.layer_norm\.(.+)", r"cls1.layernorm.\1"),
    (r"classifier\.dense\.(.+)", r"dense_0.\1"),
    (r"classifier\.out_proj\.(.+)", r"dense_1.\1"),
)
# The table of words once more.
_DROP = (r"lm_head\.decoder\..+", POSITION_IDS)


def head_of(arguments: Arguments) -> str:
    """The classifier's prefixes, where there is one."""
    return "dense_0 dense_1" if arguments.get("head") == "classification" else ""


FAMILY = Family(
    name="roberta",
    task="natural-language-understanding",
    builder="roberta",
    arguments={
        **ENCODER,
        "block_norm_eps": NUMBER,
        "pad_token_id": int,
        "head": str,
        "num_labels": int,
        "dropout": NUMBER,
    },
    layouts={
        "mindnlp": Layout(rules=_RULES, drop=_DROP),
        # The pooled state, of which a classifier makes no use.
        "mindnlp_classifier": Layout(rules=_RULES, drop=(*_DROP, r"roberta\.pooler\..+")),
    },
    head=head_of,
    sizes=SIZES,
    inputs=("input_ids", "attention_mask"),
    raw=("states", "pooled", "words"),
    outputs="zoohub.outputs.text_heads:text_head",
    heads=("encoder", "fill-mask", "classification"),
    cut="zoohub.networks.layers.cuts:cut_head",
)
