"""Hugging Face's names of BERT's parameters, as MindNLP spells them, for files of several kin."""

from __future__ import annotations

from collections.abc import Iterator

from zoohub.checkpoint.layout import Layout

Rule = tuple[str, str]


def encoder_rules(root: str, attention: str = "self_attn", norm: str = "layer_norm") -> list[Rule]:
    """From the names of an encoder to BERT's, under `root` (a head is on it) and bare.

    `attention` and `norm` are what the cells of attention and the layer norms are called.
    """
    return [
        *_encoder_rules(rf"{root}\.", "bert.", attention, norm),
        *_encoder_rules("", "", attention, norm),
    ]


def _encoder_rules(root: str, own: str, attention: str, norm: str) -> Iterator[Rule]:
    tables, places = rf"{root}embeddings\.", f"{own}bert_embedding_postprocessor."
    yield tables + r"word_embeddings\.(.+)", own + r"bert_embedding_lookup.\1"
    yield tables + r"position_embeddings\.(.+)", places + r"full_position_embedding.\1"
    yield tables + r"token_type_embeddings\.(.+)", places + r"token_type_embedding.\1"
    yield tables + norm + r"\.(.+)", places + r"layernorm.\1"
    block, layer = rf"{root}encoder\.layer\.(\d+)\.", own + r"bert_encoder.layers.\1."
    yield (
        block + rf"attention\.{attention}\.(query|key|value)\.(.+)",
        layer + r"attention.attention.\2_layer.\3",
    )
    yield (
        block + rf"attention\.{attention}\.relative_positions_encoding\.(.+)",
        layer + r"attention.attention._generate_relative_positions_embeddings.\2",
    )
    yield block + r"attention\.output\.dense\.(.+)", layer + r"attention.output.dense.\2"
    yield block + rf"attention\.output\.{norm}\.(.+)", layer + r"attention.output.layernorm.\2"
    yield block + r"intermediate\.dense\.(.+)", layer + r"intermediate.\2"
    yield block + r"output\.dense\.(.+)", layer + r"output.dense.\2"
    yield block + rf"output\.{norm}\.(.+)", layer + r"output.layernorm.\2"
    yield rf"{root}pooler\.dense\.(.+)", own + r"dense.\1"


def head_rules(norm: str = "layer_norm") -> list[Rule]:
    """From the names of BERT's heads to those of the models repository."""
    return [
        (r"cls\.predictions\.bias", "cls1.output_bias"),
        (r"cls\.predictions\.transform\.dense\.(.+)", r"cls1.dense.\1"),
        (rf"cls\.predictions\.transform\.{norm}\.(.+)", r"cls1.layernorm.\1"),
        (r"cls\.seq_relationship\.(.+)", r"cls2.dense.\1"),
        (r"classifier\.(.+)", r"dense_1.\1"),
        (r"qa_outputs\.(.+)", r"dense1.\1"),
    ]


# A row of numbers that files made from PyTorch's have.
POSITION_IDS = r"(.*\.)?embeddings\.position_ids"


def bert_layout() -> Layout:
    """That of MindNLP's BERT, whose words are predicted by the table they are looked up in."""
    return Layout(
        rules=(*encoder_rules("bert"), *head_rules()),
        drop=(r"cls\.predictions\.decoder\..+", POSITION_IDS),
    )


def transformers_layout() -> Layout:
    """That of Hugging Face's own files of BERT, whose names of weights are PyTorch's."""
    rules = [*encoder_rules("bert", attention="self", norm="LayerNorm"), *head_rules("LayerNorm")]
    return Layout(
        rules=tuple(rule for pair in rules for rule in _as_pytorch(*pair)),
        drop=(r"cls\.predictions\.decoder\..+", POSITION_IDS),
    )


def _as_pytorch(pattern: str, own: str) -> Iterator[Rule]:
    """A rule with PyTorch's names of a layer's weights, which say nothing of its kind."""
    layer, _, end = own.rpartition(".")
    if not pattern.endswith(r"\.(.+)"):
        yield pattern, own
        return
    leaves = {"weight": "weight", "bias": "bias"}
    if layer.endswith("layernorm"):
        leaves = {"weight": "gamma", "bias": "beta"}
    elif "embedding" in layer.rpartition(".")[2]:
        leaves = {"weight": "embedding_table"}
    assert end.startswith("\\")
    for leaf, here in leaves.items():
        yield pattern.removesuffix("(.+)") + leaf, f"{layer}.{here}"
