"""Each group of operators: MindSpore's result beside onnxruntime's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mindspore as ms
import numpy as np
import pytest
from mindspore import Parameter, Tensor, nn, ops

from zoohub.errors import ExportError
from zoohub.exporting.graph import compile_model, read_graph


def activations(x: Tensor) -> tuple[Tensor, ...]:
    return (
        ops.relu6(8 * x),
        ops.silu(x),
        ops.hardswish(4 * x),
        ops.hardsigmoid(4 * x),
        ops.gelu(x, approximate="tanh"),
        ops.softmax(x, -1),
        ops.tanh(x),
        ops.erf(x),
        ops.sqrt(ops.abs(x)),
        ops.rsqrt(ops.square(x) + 1),
    )


def arithmetic(x: Tensor) -> tuple[Tensor, ...]:
    y = x * 2
    y += x
    return (
        y,
        1 - x,
        x / 3,
        2 / (x + 10),
        ops.maximum(x, ops.zeros_like(x)),
        ops.minimum(x, ops.ones_like(x)),
        ops.exp(-x),
        ops.pow(ops.abs(x), 1.5),
        x.astype(ms.int32).astype(ms.float32),
    )


def shapes(x: Tensor) -> tuple[Tensor, ...]:
    batch, channels, height, width = x.shape
    first, second = ops.split(x, channels // 2, 1)
    return (
        ops.transpose(x, (0, 2, 3, 1)),
        ops.reshape(x, (batch, -1)),
        ops.reshape(x, (batch, channels, height * width)),
        ops.expand_dims(x, -1),
        ops.concat((first, second, first), 1),
        ops.stack((first, second), 2),
        ops.tile(x, (1, 2, 1, 1)),
        ops.cumsum(x, 2),
        ops.pad(x, (1, 2, 3, 4)),
        ops.reshape(ops.arange(width).astype(ms.float32), (1, 1, 1, width)) + x,
    )


def slices(x: Tensor) -> tuple[Tensor, ...]:
    return (
        x[:, 1:3],
        x[:, :, ::2, 1::2],
        x[..., -2:],
        x[:, -1],
        x[:, 2, 1:-1],
        ops.unstack(x, 1)[1] if hasattr(ops, "unstack") else x,
    )


def reductions(x: Tensor) -> tuple[Tensor, ...]:
    return (
        ops.mean(x, (2, 3)),
        ops.mean(x, 1, True),
        ops.sum(x, 1),
        ops.amax(x, (2, 3)),
        x.mean((1, 2)),
    )


class Layers(nn.Cell):
    def __init__(self) -> None:
        super().__init__()
        self.same = nn.Conv2d(4, 6, 3, 2, pad_mode="same", has_bias=True)
        self.valid = nn.Conv2d(4, 6, 3, pad_mode="valid", dilation=2)
        self.grouped = nn.Conv2d(4, 8, 3, pad_mode="pad", padding=(1, 0, 2, 1), group=2)
        self.norm = nn.BatchNorm2d(4, eps=1e-2)
        self.max_pool = nn.MaxPool2d(3, 2, pad_mode="same")
        self.avg_pool = nn.AvgPool2d(2, 2)
        self.global_pool = nn.AdaptiveAvgPool2d(1)
        self.layer_norm = nn.LayerNorm((12,))
        self.dense = nn.Dense(12, 5)
        self.upsample = ops.DepthToSpace(2)
        self.table = Parameter(Tensor(np.arange(12, dtype=np.float32).reshape(3, 4)), name="table")

    def construct(self, x: Tensor) -> tuple[Tensor, ...]:
        return (
            self.same(x),
            self.valid(x),
            self.grouped(x),
            self.norm(x),
            self.max_pool(x),
            self.avg_pool(x),
            self.global_pool(x),
            self.layer_norm(x),
            self.dense(x[:, 0, 0]),
            self.dense(x),
            self.upsample(x),
            self.upsample(ops.concat((x, x, x, x), 1)),
            ops.matmul(x, ops.transpose(x, (0, 1, 3, 2))),
            self.table[1:, :2],
        )


class Function(nn.Cell):
    def __init__(self, function: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.function = function

    def construct(self, x: Tensor) -> Any:
        return self.function(x)


def onnx_outputs(net: Any, open_shape: tuple[int | None, ...], x: Any, runtime: Any) -> list[Any]:
    import onnx

    from zoohub.exporting.onnx_writer import convert_graph

    example = Tensor(shape=list(open_shape), dtype=ms.float32) if None in open_shape else Tensor(x)
    graph = read_graph(compile_model(net, example))
    expected = net(Tensor(x))
    count = len(expected) if isinstance(expected, tuple) else 1
    model = convert_graph(
        graph,
        output_names=[f"output_{i}" for i in range(count)],
        axis_names={i: f"axis_{i}" for i, size in enumerate(open_shape) if size is None},
        metadata={},
        name="test",
    )
    onnx.checker.check_model(model, full_check=True)
    found: list[Any] = runtime.InferenceSession(model.SerializeToString()).run(None, {"images": x})
    return found


@pytest.mark.parametrize("open_shape", [(2, 4, 12, 12), (None, 4, None, None)])
@pytest.mark.parametrize("group", [activations, arithmetic, shapes, slices, reductions])
def test_operators_compute_what_mindspore_computes(
    group: Callable[[Tensor], Any], open_shape: tuple[int | None, ...], onnxruntime: Any
) -> None:
    x = np.random.default_rng(1).standard_normal((2, 4, 12, 12)).astype(np.float32)
    net = Function(group)
    for number, (expected, found) in enumerate(
        zip(net(Tensor(x)), onnx_outputs(net, open_shape, x, onnxruntime), strict=True)
    ):
        np.testing.assert_allclose(
            found, expected.asnumpy(), rtol=1e-4, atol=1e-5, err_msg=f"{group.__name__} {number}"
        )


@pytest.mark.parametrize("open_shape", [(2, 4, 12, 12), (None, 4, 12, 12)])
def test_layers_compute_what_mindspore_computes(
    open_shape: tuple[int | None, ...], onnxruntime: Any
) -> None:
    x = np.random.default_rng(1).standard_normal((2, 4, 12, 12)).astype(np.float32)
    net = Layers().set_train(False)
    for number, (expected, found) in enumerate(
        zip(net(Tensor(x)), onnx_outputs(net, open_shape, x, onnxruntime), strict=True)
    ):
        np.testing.assert_allclose(
            found, expected.asnumpy(), rtol=1e-4, atol=1e-5, err_msg=f"layer {number}"
        )


def _chol(x: Tensor) -> Tensor:
    return ops.cholesky(x)


def test_an_operator_without_conversion_is_named(onnxruntime: Any) -> None:
    net = Function(_chol)
    with pytest.raises(ExportError, match="lacks MindSpore's Cholesky"):
        onnx_outputs(net, (2, 2), np.eye(2, dtype=np.float32), onnxruntime)
