"""Arithmetic, activations and casts."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from zoohub.exporting.graph import DTYPES
from zoohub.exporting.onnx_builder import Dim, Value
from zoohub.exporting.operators.call import Call, Converter, one, simple


def _arithmetic(op: str) -> Converter:
    def convert(c: Call) -> Value:
        if all(isinstance(operand, Dim | int) for operand in c.operands[:2]):
            return Dim(c.build.add(op, [_number(c, 0), _number(c, 1)]))
        left, right = (_like_tensor(c, i) for i in (0, 1))
        if len(c.operands) > 2 and c.operands[2] not in (1, 1.0):  # alpha of AddExt, SubExt
            right = c.build.add("Mul", [right, c.named(float(c.operands[2]))])
        return c.add(op, [left, right])

    return convert


def _number(c: Call, index: int) -> str:
    value = c.operands[index]
    return value.name if isinstance(value, Dim) else c.build.ints([int(value)])


def _like_tensor(c: Call, index: int) -> str:
    """A number beside a tensor takes the tensor's type, float32."""
    value = c.operands[index]
    if isinstance(value, Dim):
        return c.build.add("Cast", [value.name], to=1)
    return c.named(float(value)) if isinstance(value, int) else c.named(value)


def _silu(c: Call) -> Value:
    x = c.tensor(0)
    return c.add("Mul", [x, c.build.add("Sigmoid", [x])])


def _gelu(c: Call) -> Value:
    """MindSpore's GeLU operator is the tanh approximation."""
    x, b = c.tensor(0), c.build
    cube = b.add("Mul", [b.add("Mul", [x, x]), x])
    inner = b.add("Add", [x, b.add("Mul", [cube, c.named(0.044715)])])
    tanh = b.add("Tanh", [b.add("Mul", [inner, c.named(0.7978845608028654)])])
    half = b.add("Mul", [x, c.named(0.5)])
    return c.add("Mul", [half, b.add("Add", [tanh, c.named(1.0)])])


def _rsqrt(c: Call) -> Value:
    return c.add("Reciprocal", [c.build.add("Sqrt", [c.tensor(0)])])


def _filled(number: float) -> Converter:
    def convert(c: Call) -> Value:
        shape = c.build.add("Shape", [c.tensor(0)])
        value = c.build.constant(np.array(number, np.float32))
        return c.add("Expand", [value, shape])

    return convert


def _clip(low: float, high: float) -> Converter:
    return lambda c: c.add("Clip", [c.tensor(0), c.named(low), c.named(high)])


def _cast(c: Call) -> Value:
    target = c.value(1, "dst_type")
    number = {43: 1, 42: 10, 34: 6, 35: 7, 30: 9}.get(target)  # MindSpore's TypeId to ONNX
    if number is None:
        raise c.unsupported(f"target type {target}")
    operand = c.operands[0]
    if isinstance(operand, int | float):
        return DTYPES[number](operand).item()
    return c.add("Cast", [c.tensor(0)], to=number)


ELEMENTWISE: Mapping[str, Converter] = {
    "Add": _arithmetic("Add"),
    "AddExt": _arithmetic("Add"),
    "InplaceAddExt": _arithmetic("Add"),
    "Adds": _arithmetic("Add"),
    "ScalarAdd": _arithmetic("Add"),
    "Sub": _arithmetic("Sub"),
    "SubExt": _arithmetic("Sub"),
    "Subs": _arithmetic("Sub"),
    "ScalarSub": _arithmetic("Sub"),
    "Mul": _arithmetic("Mul"),
    "Muls": _arithmetic("Mul"),
    "ScalarMul": _arithmetic("Mul"),
    "Div": _arithmetic("Div"),
    "Divs": _arithmetic("Div"),
    "RealDiv": _arithmetic("Div"),
    "ScalarFloorDiv": _arithmetic("Div"),  # of dimensions, which are not negative
    "Pow": _arithmetic("Pow"),
    "Maximum": _arithmetic("Max"),
    "Minimum": _arithmetic("Min"),
    "ReLU": simple("Relu"),
    "ReLU6": _clip(0.0, 6.0),
    "Sigmoid": simple("Sigmoid"),
    "SiLU": _silu,
    "HSwish": simple("HardSwish"),
    "HSigmoid": simple("HardSigmoid", alpha=1 / 6, beta=0.5),
    "Tanh": simple("Tanh"),
    "GeLU": _gelu,
    "Erf": simple("Erf"),
    "Exp": simple("Exp"),
    "Log": simple("Log"),
    "Sqrt": simple("Sqrt"),
    "Rsqrt": _rsqrt,
    "Square": lambda c: c.add("Mul", [c.tensor(0), c.tensor(0)]),
    "Neg": simple("Neg"),
    "Abs": simple("Abs"),
    "Floor": simple("Floor"),
    "Reciprocal": simple("Reciprocal"),
    "Softplus": simple("Softplus"),
    "Softmax": lambda c: c.add("Softmax", [c.tensor(0)], axis=one(c.value(1, "axis", -1))),
    "OnesLike": _filled(1.0),
    "ZerosLike": _filled(0.0),
    "OnesLikeExt": _filled(1.0),
    "Cast": _cast,
}
