"""Comparisons, choices between two tensors, and tensors made of one number."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from zoohub.graphs.onnx_builder import Ref, Value
from zoohub.graphs.operators.arithmetic import TYPE_IDS, both
from zoohub.graphs.operators.call import Call, Converter, simple


def _comparison(op: str) -> Converter:
    return lambda c: c.add(op, both(c))


def _not_equal(c: Call) -> Value:
    return c.add("Not", [c.build.add("Equal", both(c))])


def _logical(op: str) -> Converter:
    return lambda c: c.add(op, [c.tensor(0, "bool"), c.tensor(1, "bool")])


def _finite(c: Call) -> Value:
    odd = [c.build.add(op, [c.tensor(0)]) for op in ("IsInf", "IsNaN")]
    return c.add("Not", [c.build.add("Or", odd)])


def _select(c: Call) -> Value:
    kind = c.node.dtype or c.dtype(1)
    return c.add("Where", [c.tensor(0), c.tensor(1, kind), c.tensor(2, kind)])


def _masked_fill(c: Call) -> Value:
    kind = c.dtype(0)
    return c.add("Where", [c.tensor(1), c.tensor(2, kind), c.tensor(0)])


def _filled_like(number: float | None) -> Converter:
    """As many of a number as another tensor has; None: the second operand."""

    def convert(c: Call) -> Value:
        shape = c.build.add("Shape", [c.tensor(0)])
        value = c.operands[1] if number is None else number
        return c.add("Expand", [_scalar(c, value), shape])

    return convert


def _filled(number: float | None) -> Converter:
    """A tensor of a given shape; None: of the second operand."""

    def convert(c: Call) -> Value:
        shape = c.operands[0]
        sizes = [shape] if isinstance(shape, int) else list(shape)
        value = c.operands[1] if number is None else number
        return c.add("Expand", [_scalar(c, value), c.build.shape_vector(sizes)])

    return convert


def _scalar(c: Call, value: Value) -> str:
    kind = c.node.dtype or "float32"
    if isinstance(value, Ref):
        return value.name if value.dtype == kind else c.cast(value.name, kind)
    return c.build.constant(np.asarray(value, kind).reshape(()))


def _eye(c: Call) -> Value:
    rows, columns = int(c.operands[0]), int(c.operands[1])
    kind = c.node.dtype or TYPE_IDS.get(c.operands[2], "float32")
    return c.result(c.build.constant(np.eye(rows, columns, dtype=kind)))


LOGIC: Mapping[str, Converter] = {
    "Greater": _comparison("Greater"),
    "GreaterEqual": _comparison("GreaterOrEqual"),
    "Less": _comparison("Less"),
    "LessEqual": _comparison("LessOrEqual"),
    "Equal": _comparison("Equal"),
    "NotEqual": _not_equal,
    "GreaterScalar": _comparison("Greater"),
    "GreaterEqualScalar": _comparison("GreaterOrEqual"),
    "LessScalar": _comparison("Less"),
    "LessEqualScalar": _comparison("LessOrEqual"),
    "EqualScalar": _comparison("Equal"),
    "EqScalar": _comparison("Equal"),
    "NotEqualScalar": _not_equal,
    "NeScalar": _not_equal,
    "LogicalAnd": _logical("And"),
    "LogicalOr": _logical("Or"),
    "LogicalXor": _logical("Xor"),
    "LogicalNot": simple("Not"),
    "IsNan": simple("IsNaN"),
    "IsInf": simple("IsInf"),
    "IsFinite": _finite,
    "Select": _select,
    "SelectV2": _select,
    "Where": _select,
    "MaskedFill": _masked_fill,
    "MaskedFillScalar": _masked_fill,
    "OnesLike": _filled_like(1.0),
    "ZerosLike": _filled_like(0.0),
    "OnesLikeExt": _filled_like(1.0),
    "ZerosLikeExt": _filled_like(0.0),
    "FullLike": _filled_like(None),
    "Zeros": _filled(0.0),
    "Ones": _filled(1.0),
    "FillScalar": _filled(None),
    "FillTensor": _filled(None),
    "FillV2": _filled(None),
    "Eye": _eye,
}
