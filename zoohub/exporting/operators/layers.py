"""Convolutions, poolings, normalisations and matrix products."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zoohub.exporting.onnx_builder import Ref, Value
from zoohub.exporting.operators.call import Call, Converter


def _conv(c: Call) -> Value:
    kernel, stride, dilation = (c.attribute(n) for n in ("kernel_size", "stride", "dilation"))
    settings: dict[str, Any] = {
        "kernel_shape": list(kernel),
        "strides": list(stride[-2:]),
        "dilations": list(dilation[-2:]),
        "group": int(c.attribute("group", 1)),
    }
    settings |= _padding(c.attribute("pad_mode"), c.attribute("pad_list"))
    return c.add("Conv", [c.tensor(0), c.tensor(1)], **settings)


def _padding(mode: Any, pads: Any = None) -> dict[str, Any]:
    """ONNX's padding for MindSpore's `pad_mode` (0 pad, 1 same, 2 valid, or by name)."""
    names = {0: "pad", 1: "same", 2: "valid"}
    name = names[mode] if isinstance(mode, int) else str(mode).lower()
    if name == "same":
        return {"auto_pad": "SAME_UPPER"}
    if name == "valid" or pads is None or not any(pads):
        return {}
    top, bottom, left, right = pads
    return {"pads": [top, left, bottom, right]}


def _max_pool(c: Call) -> Value:
    kernel, strides = c.attribute("kernel_size"), c.attribute("strides")
    padding = _padding(c.attribute("pad_mode"))
    return c.add(
        "MaxPool",
        [c.tensor(0)],
        kernel_shape=list(kernel[-2:]),
        strides=list(strides[-2:]),
        **padding,
    )


def _avg_pool(c: Call) -> Value:
    kernel = c.value(1, "kernel_size")
    strides, mode = c.value(2, "strides"), c.value(3, "pad_mode")
    return c.add(
        "AveragePool",
        [c.tensor(0)],
        kernel_shape=list(kernel[-2:]),
        strides=list(strides[-2:]),
        count_include_pad=0,
        **_padding(mode),
    )


def _adaptive_avg_pool(c: Call) -> Value:
    size = c.value(1, "output_size")
    if tuple(size)[-2:] != (1, 1):
        raise c.unsupported(f"output size {size}")
    return c.add("GlobalAveragePool", [c.tensor(0)])


def _batch_norm(c: Call) -> Value:
    if c.value(5, "is_training", False):
        raise c.unsupported("is_training")
    y = c.build.add(
        "BatchNormalization",
        [c.tensor(i) for i in range(5)],
        epsilon=float(c.value(6, "epsilon", 1e-5)),
    )
    return (Ref(y, c.shape(0)),)


def _layer_norm(c: Call) -> Value:
    y = c.build.add(
        "LayerNormalization",
        [c.tensor(i) for i in range(3)],
        axis=int(c.value(3, "begin_norm_axis", -1)),
        epsilon=float(c.value(5, "epsilon", 1e-7)),
    )
    return (Ref(y, c.shape(0)),)


def _layer_norm_ext(c: Call) -> Value:
    y = c.build.add(
        "LayerNormalization",
        [c.tensor(0), c.tensor(2), c.tensor(3)],
        axis=-len(c.operands[1]),
        epsilon=float(c.value(4, "eps", 1e-5)),
    )
    return (Ref(y, c.shape(0)),)


def _bias_add(c: Call) -> Value:
    operand, bias = c.operands[0], c.tensor(1)
    producer = c.build.producers.get(operand.name) if isinstance(operand, Ref) else None
    # Convolutions and Gemm take their bias themselves.
    if (
        producer is not None
        and producer.op_type in ("Conv", "Gemm")
        and len(producer.input) == 2
        and c.build.consumers(operand.name) == 0
    ):
        producer.input.append(bias)
        return operand
    if c.rank(0) > 2:
        bias = c.build.add("Reshape", [bias, c.build.ints([-1] + [1] * (c.rank(0) - 2))])
    return c.add("Add", [c.tensor(0), bias])


def _mat_mul(c: Call) -> Value:
    first, second = bool(c.value(2, "transpose_a", False)), bool(c.value(3, "transpose_b", False))
    if c.rank(0) == 2 and c.rank(1) == 2 and isinstance(c.operands[1], Ref):
        return c.add("Gemm", [c.tensor(0), c.tensor(1)], transA=int(first), transB=int(second))
    sides = [
        _swapped(c, index) if flag else c.tensor(index) for index, flag in ((0, first), (1, second))
    ]
    return c.add("MatMul", sides)


def _swapped(c: Call, index: int) -> str:
    order = [*range(c.rank(index))]
    order[-2:] = order[-1], order[-2]
    return c.build.add("Transpose", [c.tensor(index)], perm=order)


def _dense(c: Call) -> Value:
    has_bias = len(c.operands) > 2 and c.operands[2] is not None
    product = c.build.add("MatMul", [c.tensor(0), _swapped(c, 1)])
    return c.add("Add", [product, c.tensor(2)]) if has_bias else Ref(product, c.node.shape)


LAYERS: Mapping[str, Converter] = {
    "Conv2D": _conv,
    "BatchNorm": _batch_norm,
    "LayerNorm": _layer_norm,
    "LayerNormExt": _layer_norm_ext,
    "BiasAdd": _bias_add,
    "MatMul": _mat_mul,
    "BatchMatMul": _mat_mul,
    "MatMulExt": _mat_mul,
    "Dense": _dense,
    "MaxPool": _max_pool,
    "AvgPool": _avg_pool,
    "AdaptiveAvgPool2D": _adaptive_avg_pool,
    "AdaptiveAvgPool2DExt": _adaptive_avg_pool,
}
