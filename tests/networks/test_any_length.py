"""A network of texts as a file that takes texts of any length."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import mindspore as ms
import numpy as np
import pytest
from mindspore import Tensor
from weights_rule import fill_by_rule

import zoohub
from zoohub.errors import DataError, ExportError

pytestmark = pytest.mark.slow

SMALL: dict[str, Any] = {"vocab_size": 30, "embed_dim": 8, "depth": 1, "num_heads": 2}
RECURRENT = {"vocab_size": 30, "embed_dim": 8}
NETWORKS: dict[str, dict[str, Any]] = {
    "gpt2@mindnlp": {"longest": 16},
    "bloom_560m": {"longest": 16},
    "llama_7b": {"ffn_dim": 12, "kv_heads": 1, "longest": 16},
    "t5_small": {"head_dim": 4, "ffn_dim": 12, "longest": 16},
    "mass": {"ffn_dim": 12, "longest": 16},
}


@contextmanager
def mode(wanted: int) -> Iterator[None]:
    before = ms.get_context("mode")
    ms.set_context(mode=wanted)
    yield
    ms.set_context(mode=before)


@pytest.mark.parametrize("name", ["gnmt_v2", "seq2seq"])
def test_a_recurrent_translator_is_compiled_once_and_exported_for_any_length(
    name: str, tmp_path: Path
) -> None:
    net = zoohub.load(name, **RECURRENT, layers=2)
    fill_by_rule(net)
    open_ids = Tensor(shape=[None, None], dtype=ms.int32)
    given = []
    for batch, source, target in ((2, 5, 4), (1, 3, 7), (3, 8, 1)):
        rng = np.random.default_rng(source)
        arrays = [rng.integers(0, 30, (batch, n)).astype(np.int32) for n in (source, target)]
        mask = [np.ones((batch, source), np.int32)] if name == "gnmt_v2" else []
        given.append([*map(Tensor, (*arrays, *mask))])
    with mode(ms.PYNATIVE_MODE):
        wanted = [net(*inputs).asnumpy() for inputs in given]
    with mode(ms.GRAPH_MODE):
        net.set_inputs(*[open_ids] * len(given[0]))
        found = [net(*inputs).asnumpy() for inputs in given]
        assert len(net.compile_cache) == 1
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
    axes = {"batch", "length"}
    pytest.importorskip("onnxruntime")
    zoohub.export(net, tmp_path / "a.onnx", length=6, dynamic=axes, check=True)


@pytest.mark.parametrize("name", NETWORKS)
def test_it_is_checked_at_two_lengths(name: str, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    net = zoohub.load(name, **SMALL, **NETWORKS[name])
    open_axes = {"batch", "length"}
    file = zoohub.export(net, tmp_path / "a.onnx", length=6, dynamic=open_axes, check=True)
    assert file.is_file()


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("luke", {"entity_vocab_size": 9, "entity_emb_size": 4, "half_precision": False}),
        ("ktnet", {"wn_vocab_size": 9, "nell_vocab_size": 9, "concept_size": 4}),
    ],
)
def test_networks_of_texts_with_more_beside_them_are_exported(
    name: str, arguments: dict[str, Any], tmp_path: Path
) -> None:
    sizes = {"vocab_size": 30, "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2,
             "intermediate_size": 8, "max_position_embeddings": 20}  # fmt: skip
    net = zoohub.load(name, **sizes, **arguments)
    with pytest.raises(
        DataError, match=rf"family {name} take \w+ int32 \(batch, length\), .* order"
    ):
        zoohub.predict(net, "a text")
    with pytest.raises(ExportError, match="give --length N"):
        zoohub.export(net, tmp_path / "a.onnx")
    pytest.importorskip("onnxruntime")
    axes = {"batch", "length"}
    zoohub.export(net, tmp_path / "a.onnx", length=6, dynamic=axes, check=True)


def test_a_bias_that_is_halved_on_the_way_comes_before_its_product(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    small = {"vocab_size": 30, "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2,
             "intermediate_size": 8, "entity_vocab_size": 9, "entity_emb_size": 4}  # fmt: skip
    net = zoohub.load("luke", **small)  # dense layers in float16, of float32 weights
    file = zoohub.export(net, tmp_path / "a.onnx", length=6)
    onnx.checker.check_model(onnx.load(file))
