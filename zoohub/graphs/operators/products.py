"""Matrix products, and the biases behind them."""

from __future__ import annotations

from collections.abc import Mapping

from zoohub.graphs.onnx_builder import Ref, Value
from zoohub.graphs.operators.call import Call, Converter


def _bias_add(c: Call) -> Value:
    operand, bias = c.operands[0], c.tensor(1)
    producer = c.build.producers.get(operand.name) if isinstance(operand, Ref) else None
    # Convolutions and Gemm take their bias themselves, where it is there before them: one that is
    # computed, as in half precision, may come after.
    if (
        producer is not None
        and bias not in c.build.producers
        and producer.op_type in ("Conv", "ConvTranspose", "Gemm")
        and len(producer.input) == 2
        and c.build.consumers(operand.name) == 0
    ):
        producer.input.append(bias)
        return operand
    if c.rank(0) > 2:
        bias = c.build.add("Reshape", [bias, c.build.ints([-1] + [1] * (c.rank(0) - 2))])
    return c.add("Add", [c.tensor(0), bias])


def _mat_mul(c: Call) -> Value:
    first, second = c.flag(2, "transpose_a"), c.flag(3, "transpose_b")
    if c.rank(0) == 2 and c.rank(1) == 2 and isinstance(c.operands[1], Ref):
        return c.add("Gemm", [c.tensor(0), c.tensor(1)], transA=int(first), transB=int(second))
    sides = [
        _swapped(c, index) if flag else c.tensor(index) for index, flag in ((0, first), (1, second))
    ]
    return c.add("MatMul", sides)


def _swapped(c: Call, index: int) -> str:
    order = [*range(c.rank(index))]
    if len(order) > 1:
        order[-2:] = order[-1], order[-2]
    return c.build.add("Transpose", [c.tensor(index)], perm=order)


def _dense(c: Call) -> Value:
    product = c.build.add("MatMul", [c.tensor(0), _swapped(c, 1)])
    return c.add("Add", [product, c.tensor(2)]) if c.given(2) else c.result(product)


def _product_and_sum(c: Call) -> Value:
    """(added, a, b, beta, alpha): beta·added + alpha·a@b"""
    kind = c.dtype(1)
    product, added = c.build.add("MatMul", [c.tensor(1), c.tensor(2)]), c.tensor(0)
    if c.given(4) and c.operands[4] not in (1, 1.0):
        product = c.build.add("Mul", [product, c.tensor(4, kind)])
    if c.given(3) and c.operands[3] not in (1, 1.0):
        added = c.build.add("Mul", [added, c.tensor(3, kind)])
    return c.add("Add", [added, product])


def _outer(c: Call) -> Value:
    column = c.build.add("Unsqueeze", [c.tensor(0), c.build.ints([1])])
    return c.add("Mul", [column, c.tensor(1)])


def _einsum(c: Call) -> Value:
    parts = c.operands[0] if isinstance(c.operands[0], tuple) else c.operands
    equation = str(c.attribute("equation")).replace(" ", "")
    return c.add("Einsum", [c.named(part) for part in parts], equation=equation)


PRODUCTS: Mapping[str, Converter] = {
    "BiasAdd": _bias_add,
    "MatMul": _mat_mul,
    "BatchMatMul": _mat_mul,
    "MatMulExt": _mat_mul,
    "BatchMatMulExt": _mat_mul,
    "Mm": _mat_mul,
    "Mv": _mat_mul,
    "Dot": _mat_mul,
    "Dense": _dense,
    "Addmm": _product_and_sum,
    "Baddbmm": _product_and_sum,
    "Outer": _outer,
    "Einsum": _einsum,
}
