"""Every operator's conversion: MindSpore's result beside onnxruntime's."""

from __future__ import annotations

from typing import Any

import mindspore as ms
import numpy as np
import pytest
from mindspore import Tensor, nn, ops

from tests.graphs.operator_cases import CASES, LAYERS, Function
from zoohub.errors import ExportError
from zoohub.graphs.graph import compile_model, read_graph
from zoohub.graphs.inputs import GraphInput
from zoohub.running.tensors import as_array, flatten

SHAPES = {
    "fixed": (2, 4, 12, 12),
    "batch": (None, 4, 12, 12),
    "size": (None, 4, None, None),
}
# What MindSpore itself cannot compile for an export with open axes, or turns into control flow.
NOT_OPEN: dict[str, set[str]] = {
    "resized_to_another": {"size"},
    "split_apart": {"size"},
    "gru": {"size"},
    "indexed": {"batch", "size"},
    "shuffled": {"size"},
    "multi_head": {"size"},
    # The conversion itself: parts of an axis of any length.
    "pooled_in_parts": {"size"},
    "adaptive_avg_3": {"size"},
}
# MindSpore looks cubic weights up in a table of three digits.
COARSE = {"resized_bicubic": 5e-3}
MAKERS = {**{name: (lambda f=f: Function(f)) for name, f in CASES.items()}, **LAYERS}


@pytest.fixture(scope="module")
def picture() -> Any:
    return np.random.default_rng(1).standard_normal((2, 4, 12, 12)).astype(np.float32)


def onnx_outputs(net: Any, open_shape: tuple[int | None, ...], x: Any, count: int) -> list[Any]:
    onnx = pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")
    from zoohub.graphs.onnx_writer import convert_graph

    axes = {i: f"axis_{i}" for i, size in enumerate(open_shape) if size is None}
    source = GraphInput("images", x.shape, axes)
    graph = read_graph(compile_model(net, source.example()))
    names = [f"output_{i}" for i in range(count)]
    model = convert_graph(graph, output_names=names, inputs=[source], metadata={}, name="test")
    onnx.checker.check_model(model, full_check=True)
    session = runtime.InferenceSession(model.SerializeToString())
    found: list[Any] = session.run(None, {"images": x})
    return found


def _kinds() -> list[Any]:
    """An open batch alone is in the gate only where the size cannot be open too."""
    kinds = [(name, [*SHAPES.keys() - NOT_OPEN.get(name, set())]) for name in MAKERS]
    return [
        pytest.param(
            *(name, kind), marks=pytest.mark.every if kind == "batch" and "size" in open_ else ()
        )
        for name, open_ in kinds
        for kind in sorted(open_)
    ]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "kind"), _kinds())
def test_operators_compute_what_mindspore_computes(name: str, kind: str, picture: Any) -> None:
    net = MAKERS[name]()
    net.set_train(False)
    expected = [as_array(output) for output in flatten(net(Tensor(picture)))]
    found = onnx_outputs(net, SHAPES[kind], picture, len(expected))
    for number, (one, other) in enumerate(zip(expected, found, strict=True)):
        message = f"{name}, output {number}"
        assert one.dtype == other.dtype, message
        allowed = COARSE.get(name, 1e-4)
        np.testing.assert_allclose(other, one, rtol=1e-4, atol=allowed, err_msg=message)


@pytest.mark.parametrize(
    ("slope", "operators"),
    [(0.1, ["LeakyRelu"]), (2.0, ["Mul", "Max"]), (-0.5, ["Mul", "Max"])],
)
def test_the_larger_of_a_number_and_its_part_is_one_operator(
    slope: float, operators: list[str], picture: Any
) -> None:
    class Larger(nn.Cell):
        def construct(self, x: Tensor) -> Any:
            return ops.maximum(slope * x, x)

    net = Larger().set_train(False)
    pytest.importorskip("onnx")
    from zoohub.graphs.onnx_writer import convert_graph

    source = GraphInput("images", picture.shape, {})
    graph = read_graph(compile_model(net, source.example()))
    model = convert_graph(graph, output_names=["y"], inputs=[source], metadata={}, name="test")
    assert [node.op_type for node in model.graph.node][:-1] == operators
    (found,) = onnx_outputs(net, picture.shape, picture, 1)
    np.testing.assert_allclose(found, np.maximum(slope * picture, picture), rtol=1e-6)


def test_numbers_of_several_inputs_keep_their_types() -> None:
    """Tokens and a mask of any length, in whole numbers; what is no picture."""
    onnx = pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")
    from zoohub.graphs.onnx_writer import convert_graph

    class Text(nn.Cell):
        def __init__(self) -> None:
            super().__init__()
            self.words = nn.Embedding(20, 6)

        def construct(self, input_ids: Tensor, attention_mask: Tensor) -> Any:
            weights = ops.expand_dims(attention_mask.astype(ms.float32), -1)
            return (self.words(input_ids) * weights).sum(1) / weights.sum(1)

    axes = {0: "batch", 1: "length"}
    inputs = [GraphInput(name, (1, 8), axes, "int32") for name in ("input_ids", "attention_mask")]
    net = Text().set_train(False)
    graph = read_graph(compile_model(net, *(source.example() for source in inputs)))
    model = convert_graph(graph, output_names=["mean"], inputs=inputs, metadata={}, name="text")
    onnx.checker.check_model(model, full_check=True)
    rng = np.random.default_rng(0)
    rows = {
        "input_ids": rng.integers(0, 20, (3, 5)).astype(np.int32),
        "attention_mask": np.array([[1, 1, 1, 0, 0]] * 3, np.int32),
    }
    (found,) = runtime.InferenceSession(model.SerializeToString()).run(None, rows)
    expected = net(*map(Tensor, rows.values())).asnumpy()
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def _chol(x: Tensor) -> Tensor:
    return ops.cholesky(x)


def test_an_operator_without_conversion_is_named() -> None:
    pytest.importorskip("onnxruntime")
    with pytest.raises(ExportError, match="lacks MindSpore's Cholesky"):
        onnx_outputs(Function(_chol), (2, 2), np.eye(2, dtype=np.float32), 1)
