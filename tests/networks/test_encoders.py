"""Text encoders: any length in one compilation, exported with open axes, and what they share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mindspore
import numpy as np
import onnxruntime
import pytest
from cases import case_of
from mindspore import Tensor, nn
from references import Reference, mode_set, output_of
from weights_rule import fill_by_rule, flatten

from zoohub.graphs.choosing import choose_outputs, cut_network
from zoohub.graphs.graph import compile_model, read_graph
from zoohub.graphs.inputs import GraphInput
from zoohub.graphs.onnx_writer import convert_graph
from zoohub.networks.families import find_family

SMALL = {
    "vocab_size": 50,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "max_position_embeddings": 40,
}
XLM = {"vocab_size": 50, "emb_dim": 32, "n_layers": 2, "n_heads": 4, "max_position_embeddings": 40}


def build(family: str, **arguments: Any) -> nn.Cell:
    net = find_family(family).load()(**(XLM if family == "xlm" else SMALL) | arguments)
    fill_by_rule(net)
    return net.set_train(False)


def inputs(family: str, rows: int, length: int) -> list[np.ndarray]:
    """Words, kinds, positions and a mask, the last row half padding."""
    rng = np.random.default_rng(length)
    arrays = []
    for name in find_family(family).inputs:
        array = rng.integers(2, 50, (rows, length))
        if name == "attention_mask":
            array = np.ones((rows, length))
            array[-1, length // 2 :] = 0
        elif name == "token_type_ids":
            array = rng.integers(0, 1 if family == "roberta" else 2, (rows, length))
        elif name == "position_ids":
            array = np.tile(np.arange(length), (rows, 1))
        arrays.append(array.astype(np.int32))
    return arrays


def run(net: nn.Cell, arrays: list[np.ndarray]) -> list[np.ndarray]:
    return flatten(net(*map(Tensor, arrays)))


HEADS = [
    pytest.param("bert", {"head": "pretraining"}, ("words", "next_sentence"), id="bert"),
    pytest.param("bert", {"longest_distance": 4}, ("states", "pooled"), id="distances"),
    pytest.param(
        "bert",
        {"head": "recurrent-chain-tagging", "num_labels": 5},
        ("tags", "after"),
        id="chain",
    ),
    pytest.param("albert", {"head": "question-answering"}, ("answers",), id="albert"),
    pytest.param("uie", {}, ("starts", "ends"), id="uie"),
    pytest.param("xlm", {"causal": True}, ("words",), id="xlm"),
    pytest.param("xlm", {"head": "encoder"}, ("states",), id="xlm-states"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("family", "arguments", "names"), HEADS)
def test_an_exported_encoder_takes_any_number_of_texts_of_any_length(
    family: str, arguments: dict[str, Any], names: tuple[str, ...]
) -> None:
    net = build(family, **arguments)
    first, other = inputs(family, 2, 9), inputs(family, 3, 13)
    cut = cut_network(net, find_family(family), decode=True)
    chosen = choose_outputs(net, cut, net(*map(Tensor, first)))
    assert chosen.names == names
    expected = [run(chosen.net, arrays) for arrays in (first, other)]
    sources = [
        GraphInput(name, (2, 9), {0: "batch", 1: "length"}, "int32")
        for name in find_family(family).inputs
    ]
    graph = read_graph(compile_model(chosen.net, *(source.example() for source in sources)))
    model = convert_graph(graph, output_names=names, inputs=sources, metadata={}, name=family)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    for arrays, wanted in zip((first, other), expected, strict=True):
        given = dict(zip(find_family(family).inputs, arrays, strict=True))
        for got, array in zip(session.run(None, given), wanted, strict=True):
            np.testing.assert_allclose(got, array, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_lengths_vary_in_graph_mode_with_one_compilation() -> None:
    net, reference = build("bert", head="pretraining"), build("bert", head="pretraining")
    net.set_inputs(*[Tensor(shape=[None, None], dtype=mindspore.int32)] * 3)
    with mode_set("pynative"):
        wanted = {n: run(reference, inputs("bert", 2, n)) for n in (5, 8, 12, 21)}
    with mode_set("graph"):
        for length, arrays in wanted.items():
            for got, array in zip(run(net, inputs("bert", 2, length)), arrays, strict=True):
                np.testing.assert_allclose(got, array, rtol=1e-5, atol=1e-5)
    assert len(net.compile_cache) == 1


def test_padding_changes_nothing() -> None:
    net = build("bert")
    ids, kinds, mask = inputs("bert", 1, 12)
    mask[:] = 1
    mask[0, 8:] = 0
    short = run(net, [ids[:, :8], kinds[:, :8], mask[:, :8]])
    long = run(net, [ids, kinds, mask])
    np.testing.assert_allclose(long[0][:, :8], short[0], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(long[1], short[1], rtol=1e-5, atol=1e-5)


def test_tprrs_albert_computes_what_albert_does() -> None:
    """Of its own network no reference output is known."""
    sizes = {**SMALL, "embedding_size": 16}
    theirs = find_family("tprr_albert").load()(**sizes).set_train(False)
    fill_by_rule(theirs)
    ours = build("albert", embedding_size=16, layer_norm_eps=1e-12)
    values = {p.name: p.asnumpy() for p in theirs.get_parameters()}
    layer = "albert_encoder.group.0.inner_group.0."
    turned = {
        "albert_encoder.embedding_hidden_mapping_in": "embedding_hidden_mapping_in",
        f"{layer}intermediate": "albert_transformer.ffn",
        f"{layer}output.dense": "albert_transformer.ffn_output",
    }
    same = {
        "albert_embedding_lookup.embedding_table": values["word_embeddings"],
        "albert_embedding_postprocessor.embedding_table": values["token_type_embeddings"],
        "albert_embedding_postprocessor.full_position_embeddings": values["position_embeddings"][0],
        f"{layer}attention.output.dense.weight": values["albert_transformer.multiheadattn.w"]
        .reshape(32, 32)
        .T,
        f"{layer}attention.output.dense.bias": values["albert_transformer.multiheadattn.b"],
    }
    for own, name in turned.items():
        same[f"{own}.weight"] = values[f"{name}.weight"].T
        same[f"{own}.bias"] = values[f"{name}.bias"]
    for part in ("query", "key", "value"):
        name = f"albert_transformer.multiheadattn.{part}_linear_"
        same[f"{layer}attention.attention.{part}_layer.weight"] = values[f"{name}weight"].T
        same[f"{layer}attention.attention.{part}_layer.bias"] = values[f"{name}bias"]
    for own, name in (
        ("albert_embedding_postprocessor.layernorm", "layernorm_1"),
        (f"{layer}attention.output.layernorm", "albert_transformer.layernorm"),
        (f"{layer}output.layernorm", "layernorm_2"),
    ):
        same[f"{own}.gamma"] = values[f"{name}.layer_norm_weight"]
        same[f"{own}.beta"] = values[f"{name}.layer_norm_bias"]
    for parameter in ours.get_parameters():
        if not parameter.name.startswith("dense."):
            parameter.set_data(Tensor(np.ascontiguousarray(same[parameter.name])))
    arrays = inputs("albert", 2, 9)
    np.testing.assert_allclose(run(theirs, arrays)[0], run(ours, arrays)[0], rtol=1e-4, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(("mode", "share"), [("pynative", 1e-5), ("graph", 1e-2)])
def test_luke_computes_its_reference_in_float16(mode: str, share: float, shared: Path) -> None:
    """The reference was made so; compiled, what is rounded to float16 on a CPU is less."""
    case = case_of("luke:models_nlp/luke_small")
    reference = Reference(case, shared / "oracle")
    with mode_set(mode):
        found = reference.differences(output_of(case, reference.gain, reference.names))
    for (difference, _), tensor in zip(found, reference.tensors, strict=True):
        assert difference <= share * tensor["std"]


@pytest.mark.parametrize(
    ("family", "arguments", "message"),
    [
        ("bert", {"head": "poetry"}, "a head is encoder, .*not 'poetry'"),
        ("bert", {"num_attention_heads": 5}, "5 heads do not divide a hidden size of 32"),
        ("bert", {"hidden_act": "swish"}, "gelu_tanh, fast_gelu or relu, not 'swish'"),
        ("roberta", {"head": "pretraining"}, "fill-mask"),
        ("tprr_downstream", {"part": "retriever"}, "reader or reranker"),
    ],
)
def test_an_argument_that_means_nothing_is_refused(
    family: str, arguments: dict[str, Any], message: str
) -> None:
    known = find_family(family).arguments
    sizes = {name: value for name, value in SMALL.items() if name in known}
    with pytest.raises(ValueError, match=message):
        find_family(family).load()(**sizes | arguments)
