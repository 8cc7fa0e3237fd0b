"""Arithmetic, mathematical functions and casts."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from onnx import numpy_helper

from zoohub.graphs.graph import DTYPES
from zoohub.graphs.onnx_builder import ONNX_TYPES, Dim, Ref, Value
from zoohub.graphs.operators.call import Call, Converter, simple

# MindSpore's TypeId to NumPy's names.
TYPE_IDS = {
    30: "bool", 32: "int8", 33: "int16", 34: "int32", 35: "int64", 37: "uint8",
    42: "float16", 43: "float32", 44: "float64",
}  # fmt: skip
FLOATS = {ONNX_TYPES[name] for name in ("float16", "float32", "float64")}


def common_type(c: Call) -> str:
    """The element type that two operands have or take: that of the tensor among them."""
    kinds = [c.dtype(i) for i in (0, 1) if not isinstance(c.operands[i], int | float | Dim)]
    floats = [kind for kind in kinds if "float" in kind]
    return (floats or kinds or [c.node.dtype or "float32"])[0]


def both(c: Call) -> list[str]:
    """The first two operands as tensors of one type."""
    kind = common_type(c)
    names = [c.tensor(i, kind) for i in (0, 1)]
    return [
        c.cast(name, kind)
        if isinstance(operand, Ref) and operand.dtype not in (None, kind)
        else name
        for name, operand in zip(names, c.operands[:2], strict=True)
    ]


def _arithmetic(op: str) -> Converter:
    def convert(c: Call) -> Value:
        if all(isinstance(operand, Dim | int) for operand in c.operands[:2]):
            if op == "Mod" and not any(isinstance(operand, Dim) for operand in c.operands):
                return c.operands[0] % c.operands[1]
            return Dim(c.build.add(op, [_number(c, 0), _number(c, 1)]))
        left, right = both(c)
        if len(c.operands) > 2 and c.operands[2] not in (1, 1.0):  # alpha of AddExt, SubExt
            right = c.build.add("Mul", [right, c.tensor(2, common_type(c))])
        return c.add(op, [left, right])

    return convert


def _maximum(c: Call) -> Value:
    """Of x and a part of x, as MindSpore computes a leaky ReLU, in one pass: onnxruntime does it
    while it convolves."""
    for x, other in ((0, 1), (1, 0)):
        slope = _part_of(c, c.operands[x], c.operands[other])
        if slope is not None:
            return c.add("LeakyRelu", [c.tensor(x)], alpha=slope)
    return _arithmetic("Max")(c)


def _part_of(c: Call, whole: Value, part: Value) -> float | None:
    """The constant in 0..1 that the tensor `whole` was multiplied by to give `part`."""
    product = c.build.producers.get(part.name) if isinstance(part, Ref) else None
    if product is None or product.op_type != "Mul" or not isinstance(whole, Ref):
        return None
    factors = [name for name in product.input if name != whole.name]
    constant = c.build.initialisers.get(factors[0]) if len(factors) == 1 else None
    if constant is None or constant.dims or constant.data_type not in FLOATS:
        return None
    slope = float(numpy_helper.to_array(constant))
    return slope if 0 < slope < 1 else None


def _whole_division(c: Call) -> Value:
    """Of sizes and numbers, rounded down as in Python; ONNX rounds towards zero."""
    first, second = c.operands[:2]
    if isinstance(first, int) and isinstance(second, int):
        return first // second
    if not all(isinstance(operand, Dim | int) for operand in (first, second)):
        return _floor_division(c)
    left, right = _number(c, 0), _number(c, 1)
    multiple = c.build.add("Sub", [left, c.build.add("Mod", [left, right])])
    return Dim(c.build.add("Div", [multiple, right]))


def _negative(c: Call) -> Value:
    """Of a size or a number."""
    operand = c.operands[0]
    return Dim(c.build.add("Neg", [operand.name])) if isinstance(operand, Dim) else -operand


def _number(c: Call, index: int) -> str:
    value = c.operands[index]
    return value.name if isinstance(value, Dim) else c.build.ints([int(value)])


def _true_division(c: Call) -> Value:
    if "int" in common_type(c):
        left, right = (c.cast(name, "float32") for name in both(c))
        return c.add("Div", [left, right])
    return c.add("Div", both(c))


def _floor_division(c: Call) -> Value:
    kind = common_type(c)
    if "int" not in kind:
        return c.add("Floor", [c.build.add("Div", both(c))])
    wide = [c.cast(name, "float64") for name in both(c)]
    return c.result(c.cast(c.build.add("Floor", [c.build.add("Div", wide)]), kind))


def _remainder(c: Call) -> Value:
    """With the sign of the divisor, as Python's."""
    left, right = both(c)
    if "int" in common_type(c):
        return c.add("Mod", [left, right])
    whole = c.build.add("Floor", [c.build.add("Div", [left, right])])
    return c.add("Sub", [left, c.build.add("Mul", [whole, right])])


def _sum_of_all(c: Call) -> Value:
    parts = c.operands[0] if isinstance(c.operands[0], tuple) else c.operands
    return c.add("Sum", [c.named(part) for part in parts])


def _square(c: Call) -> Value:
    return c.add("Mul", [c.tensor(0), c.tensor(0)])


def _rsqrt(c: Call) -> Value:
    return c.add("Reciprocal", [c.build.add("Sqrt", [c.tensor(0)])])


def _truncated(c: Call) -> Value:
    x = c.tensor(0)
    whole = c.build.add("Floor", [c.build.add("Abs", [x])])
    return c.add("Mul", [c.build.add("Sign", [x]), whole])


def _shifted(before: float, op: str, after: float) -> Converter:
    """op(x + before) + after"""

    def convert(c: Call) -> Value:
        x = c.tensor(0)
        if before:
            x = c.build.add("Add", [x, c.named(before, c.dtype(0))])
        if not after:
            return c.add(op, [x])
        return c.add("Add", [c.build.add(op, [x]), c.named(after, c.dtype(0))])

    return convert


def _scaled_log(base: float) -> Converter:
    def convert(c: Call) -> Value:
        factor = c.named(1 / math.log(base), c.dtype(0))
        return c.add("Mul", [c.build.add("Log", [c.tensor(0)]), factor])

    return convert


def _erfc(c: Call) -> Value:
    return c.add("Sub", [c.named(1.0, c.dtype(0)), c.build.add("Erf", [c.tensor(0)])])


def _cast(c: Call) -> Value:
    target = c.value(1, "dst_type")
    name = TYPE_IDS.get(target) if target is not None else c.node.dtype
    if name is None:
        raise c.unsupported(f"target type {target}")
    operand = c.operands[0]
    if isinstance(operand, int | float):
        return DTYPES[ONNX_TYPES[name]](operand).item()
    if isinstance(operand, np.ndarray):
        return operand.astype(name)
    return c.result(c.cast(c.tensor(0), name))


_SAME = (
    "Erf", "Exp", "Log", "Sqrt", "Neg", "Abs", "Floor", "Ceil", "Reciprocal", "Sign", "Round",
    "Sin", "Cos", "Tan", "Asin", "Acos", "Atan", "Sinh", "Cosh", "Asinh", "Acosh", "Atanh",
)  # fmt: skip
ARITHMETIC: Mapping[str, Converter] = {
    **{name: simple(name) for name in _SAME},
    "Add": _arithmetic("Add"),
    "AddExt": _arithmetic("Add"),
    "InplaceAddExt": _arithmetic("Add"),
    "Adds": _arithmetic("Add"),
    "AddScalar": _arithmetic("Add"),
    "ScalarAdd": _arithmetic("Add"),
    "Sub": _arithmetic("Sub"),
    "SubExt": _arithmetic("Sub"),
    "Subs": _arithmetic("Sub"),
    "SubScalar": _arithmetic("Sub"),
    "ScalarSub": _arithmetic("Sub"),
    "Mul": _arithmetic("Mul"),
    "Muls": _arithmetic("Mul"),
    "ScalarMul": _arithmetic("Mul"),
    "ScalarUsub": _negative,
    "ScalarUadd": lambda c: c.operands[0],
    "Div": _true_division,
    "Divs": _true_division,
    "RealDiv": _true_division,
    "ScalarDiv": _true_division,
    "ScalarFloorDiv": _whole_division,
    "TruncateDiv": _arithmetic("Div"),
    "ScalarMod": _arithmetic("Mod"),
    "FloorDiv": _floor_division,
    "FloorDivScalar": _floor_division,
    "FloorMod": _remainder,
    "RemainderTensorScalar": _remainder,
    "RemainderTensorTensor": _remainder,
    "Pow": _arithmetic("Pow"),
    "PowTensorScalar": _arithmetic("Pow"),
    "PowScalarTensor": _arithmetic("Pow"),
    "Maximum": _maximum,
    "Minimum": _arithmetic("Min"),
    "AddN": _sum_of_all,
    "Square": _square,
    "Rsqrt": _rsqrt,
    "Trunc": _truncated,
    "Erfc": _erfc,
    "Log1p": _shifted(1.0, "Log", 0.0),
    "Expm1": _shifted(0.0, "Exp", -1.0),
    "Log2": _scaled_log(2.0),
    "Log10": _scaled_log(10.0),
    "AsinExt": simple("Asin"),
    "AcosExt": simple("Acos"),
    "AtanExt": simple("Atan"),
    "Cast": _cast,
}
