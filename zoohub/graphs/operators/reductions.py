"""What takes axes away: sums, means, extremes, norms."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from zoohub.graphs.onnx_builder import Value
from zoohub.graphs.operators.call import Call, Converter


def axes_of(c: Call, index: int = 1, name: str = "axis") -> list[int]:
    """The axes of a reduction; all where none is given."""
    axes = c.value(index, name)
    axes = [axes] if isinstance(axes, int) else list(axes or range(c.rank(0)))
    return [int(axis) for axis in axes]


def reduced(c: Call, op: str, tensor: str, axes: list[int], keep: bool) -> str:
    """A node that reduces; sums take their axes as an input."""
    if op == "ReduceSum":
        return c.build.add(op, [tensor, c.build.ints(axes)], keepdims=int(keep))
    return c.build.add(op, [tensor], axes=axes, keepdims=int(keep))


def _reduce(op: str, name: str = "axis") -> Converter:
    def convert(c: Call) -> Value:
        tensor = c.tensor(0)
        if c.node.dtype not in (None, c.dtype(0)):  # a sum of truth values is a number
            tensor = c.cast(tensor, c.node.dtype)
        keep = c.flag(2, "keep_dims")
        return c.result(reduced(c, op, tensor, axes_of(c, 1, name), keep))

    return convert


def _every(op: str) -> Converter:
    """Whether all or any are true."""

    def convert(c: Call) -> Value:
        found = reduced(c, op, c.cast(c.tensor(0), "int32"), axes_of(c), c.flag(2, "keep_dims"))
        return c.result(c.cast(found, "bool"))

    return convert


def _whole(op: str) -> Converter:
    return lambda c: c.add(op, [c.tensor(0)], keepdims=0)


def _spread(root: bool) -> Converter:
    """Variance or deviation: (x, axes, correction, keep)."""

    def convert(c: Call) -> Value:
        axes, correction, keep = _spread_settings(c)
        x = c.tensor(0)
        mean = reduced(c, "ReduceMean", x, axes, True)
        apart = c.build.add("Sub", [x, mean])
        square = c.build.add("Mul", [apart, apart])
        variance = reduced(c, "ReduceMean", square, axes, keep)
        if correction:
            count = np.prod([c.shape(0)[axis] or np.nan for axis in axes])
            if np.isnan(count):
                raise c.unsupported("a correction for an unknown number of values")
            factor = float(count / (count - correction))
            variance = c.build.add("Mul", [variance, c.named(factor, c.dtype(0))])
        found = c.build.add("Sqrt", [variance]) if root else variance
        if len(c.node.parts) < 2:
            return c.result(found)
        plain = mean if keep else reduced(c, "ReduceMean", x, axes, False)
        return c.results(found, plain)

    return convert


def _spread_settings(c: Call) -> tuple[list[int], int, bool]:
    if c.node.op == "ReduceStd":
        return axes_of(c), int(c.flag(2, "unbiased", True)), c.flag(3, "keep_dims")
    correction = c.value(2, "correction", 1)
    return axes_of(c, 1, "dim"), 1 if correction is None else int(correction), c.flag(3, "keepdim")


def _norm(c: Call) -> Value:
    order = float(c.value(1, "p", 2.0))
    op = {1.0: "ReduceL1", 2.0: "ReduceL2", float("inf"): "ReduceMax"}.get(order)
    if op is None:
        raise c.unsupported(f"order {order}")
    tensor = c.build.add("Abs", [c.tensor(0)]) if op == "ReduceMax" else c.tensor(0)
    return c.result(reduced(c, op, tensor, axes_of(c, 2, "dim"), c.flag(3, "keepdim")))


def _lp_norm(c: Call) -> Value:
    if c.attribute("p", 2) not in (1, 2):
        raise c.unsupported(f"order {c.attribute('p')}")
    op = f"ReduceL{c.attribute('p', 2)}"
    return c.result(reduced(c, op, c.tensor(0), axes_of(c), bool(c.attribute("keep_dims", False))))


def _unit_length(c: Call) -> Value:
    axes = c.attribute("axis")
    axes = [axes] if isinstance(axes, int) else list(axes)
    x, kind = c.tensor(0), c.dtype(0)
    squares = reduced(c, "ReduceSumSquare", x, axes, True)
    limited = c.build.add("Max", [squares, c.named(float(c.attribute("epsilon", 1e-4)), kind)])
    return c.add("Div", [x, c.build.add("Sqrt", [limited])])


def _cum_sum(c: Call) -> Value:
    axis = np.array(c.axis(1, "axis"), np.int64)
    exclusive, reverse = (
        (int(c.flag(2, "exclusive")), int(c.flag(3, "reverse")))
        if c.node.op == "CumSum"
        else (0, 0)
    )
    tensor = c.tensor(0)
    if c.node.dtype not in (None, c.dtype(0)):
        tensor = c.cast(tensor, c.node.dtype)
    return c.add("CumSum", [tensor, c.build.constant(axis)], exclusive=exclusive, reverse=reverse)


REDUCTIONS: Mapping[str, Converter] = {
    "ReduceMean": _reduce("ReduceMean"),
    "MeanExt": _reduce("ReduceMean", "dim"),
    "ReduceSum": _reduce("ReduceSum"),
    "SumExt": _reduce("ReduceSum", "dim"),
    "ReduceMax": _reduce("ReduceMax"),
    "ReduceMin": _reduce("ReduceMin"),
    "AMax": _reduce("ReduceMax"),
    "AMin": _reduce("ReduceMin"),
    "ReduceProd": _reduce("ReduceProd"),
    "ProdExt": _reduce("ReduceProd", "dim"),
    "LogSumExp": _reduce("ReduceLogSumExp", "dim"),
    "ReduceAll": _every("ReduceMin"),
    "ReduceAny": _every("ReduceMax"),
    "Max": _whole("ReduceMax"),
    "Min": _whole("ReduceMin"),
    "Var": _spread(False),
    "VarMean": _spread(False),
    "Std": _spread(True),
    "StdMean": _spread(True),
    "ReduceStd": _spread(True),
    "Norm": _norm,
    "LinalgVectorNorm": _norm,
    "LpNorm": _lp_norm,
    "L2Normalize": _unit_length,
    "CumSum": _cum_sum,
    "CumsumExt": _cum_sum,
}
