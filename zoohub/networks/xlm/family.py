"""XLM: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import NUMBER, Family

FAMILY = Family(
    name="xlm",
    task="natural-language-understanding",
    builder="xlm",
    arguments={
        "vocab_size": int,
        "emb_dim": int,
        "n_layers": int,
        "n_heads": int,
        "max_position_embeddings": int,
        "n_langs": int,
        "causal": bool,
        "embed_init_std": NUMBER,
        "head": str,
    },
    # The table of words once more.
    layouts={"mindnlp": Layout(drop=(r"pred_layer\.proj\.weight",))},
    constants=(r"transformer\.position_ids",),
    sizes={
        "vocab_size": ("transformer.embeddings.embedding_table", 0),
        "max_position_embeddings": ("transformer.position_embeddings.embedding_table", 0),
        "n_langs": ("transformer.lang_embeddings.embedding_table", 0),
    },
    inputs=("input_ids", "attention_mask"),
    raw=("words",),
    outputs="zoohub.outputs.text_heads:text_head",
    heads=("fill-mask", "encoder"),
    cut="zoohub.networks.layers.cuts:cut_head",
)
