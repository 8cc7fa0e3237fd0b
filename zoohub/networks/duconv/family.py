"""DuConv's retrieval: names, arguments, and what the published file calls the same parameters."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.bert.family import ENCODER
from zoohub.networks.family import NUMBER, Family

_TABLES = r"network\.bert\.embeddings\."
_PLACES = "bert.bert_embedding_postprocessor."
_BLOCK = r"network\.bert\.encoder\.layers\.(\d+)\."
_OWN = r"bert.bert_encoder.layers.\1."

# The training script's file stands behind the loss's cell.
_TRAINED = Layout(
    rules=(
        (_TABLES + r"tok_embed\.(.+)", r"bert.bert_embedding_lookup.\1"),
        (_TABLES + r"pos_embed\.(.+)", _PLACES + r"full_position_embedding.\1"),
        (_TABLES + r"seg_embed\.(.+)", _PLACES + r"token_type_embedding.\1"),
        (_TABLES + r"norm\.(.+)", _PLACES + r"layernorm.\1"),
        (_BLOCK + r"enc_self_attn\.W_Q\.(.+)", _OWN + r"attention.attention.query_layer.\2"),
        (_BLOCK + r"enc_self_attn\.W_K\.(.+)", _OWN + r"attention.attention.key_layer.\2"),
        (_BLOCK + r"enc_self_attn\.W_V\.(.+)", _OWN + r"attention.attention.value_layer.\2"),
        (_BLOCK + r"enc_self_attn\.linear\.(.+)", _OWN + r"attention.output.dense.\2"),
        (_BLOCK + r"enc_self_attn\.layer_norm\.(.+)", _OWN + r"attention.output.layernorm.\2"),
        (_BLOCK + r"pos_ffn\.fc1\.(.+)", _OWN + r"intermediate.\2"),
        (_BLOCK + r"pos_ffn\.fc2\.(.+)", _OWN + r"output.dense.\2"),
        (_BLOCK + r"pos_ffn\.layer_norm\.(.+)", _OWN + r"output.layernorm.\2"),
        (r"network\.bert\.pooler\.(.+)", r"bert.dense.\1"),
        (r"network\.(.+)", r"\1"),
    )
)

FAMILY = Family(
    name="duconv",
    task="dialogue",
    builder="duconv",
    arguments={**ENCODER, "dropout": NUMBER},
    layouts={"trained": _TRAINED},
    sizes={"vocab_size": ("kn_embeddings.embedding_table", 0)},
    inputs=("input_ids", "token_type_ids", "knowledge_ids"),
    raw=("probabilities",),
)
