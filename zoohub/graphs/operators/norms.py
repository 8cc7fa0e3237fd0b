"""Normalisations."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from zoohub.graphs.onnx_builder import Ref, Value
from zoohub.graphs.operators.call import Call, Converter
from zoohub.graphs.operators.reductions import reduced


def _batch_norm(c: Call) -> Value:
    if c.value(5, "is_training", False):
        return _by_batch(c, float(c.value(6, "epsilon", 1e-5)))
    y = c.build.add(
        "BatchNormalization",
        [c.tensor(i) for i in range(5)],
        epsilon=float(c.value(6, "epsilon", 1e-5)),
    )
    return (Ref(y, c.shape(0), c.dtype(0)),)


def _batch_norm_ext(c: Call) -> Value:
    """(x, weight, bias, mean, variance, training, momentum, eps)"""
    if c.value(5, "training", False):
        return _by_batch(c, float(c.value(7, "eps", 1e-5)))
    y = c.build.add(
        "BatchNormalization",
        [c.tensor(i) for i in range(5)],
        epsilon=float(c.value(7, "eps", 1e-5)),
    )
    return (Ref(y, c.shape(0), c.dtype(0)),)


def _by_batch(c: Call, eps: float) -> Value:
    """(x, weight, bias, …), by the mean and variance of what comes in, channels second."""
    b, kind, axes = c.build, c.dtype(0), [0, *range(2, c.rank(0))]
    y = _centred(c, c.tensor(0), axes, eps)
    column = b.ints([-1] + [1] * (c.rank(0) - 2))
    for index, op in ((1, "Mul"), (2, "Add")):
        y = b.add(op, [y, b.add("Reshape", [c.tensor(index), column])])
    return (Ref(y, c.shape(0), kind),)


def _centred(c: Call, x: str, axes: list[int], eps: float) -> str:
    """`x` less its mean over the axes, over its deviation."""
    b = c.build
    centred = b.add("Sub", [x, reduced(c, "ReduceMean", x, axes, True)])
    variance = reduced(c, "ReduceMean", b.add("Mul", [centred, centred]), axes, True)
    root = b.add("Sqrt", [b.add("Add", [variance, c.named(eps, c.dtype(0))])])
    return b.add("Div", [centred, root])


def _layer_norm(c: Call) -> Value:
    axis = int(c.value(3, "begin_norm_axis", -1))
    if c.rank(1) != c.rank(0) - axis % c.rank(0):
        raise c.unsupported("parameters of another shape than what is normalised")
    y = c.build.add(
        "LayerNormalization",
        [c.tensor(i) for i in range(3)],
        axis=axis,
        epsilon=float(c.value(5, "epsilon", 1e-7)),
    )
    return (Ref(y, c.shape(0), c.dtype(0)),)


def _layer_norm_ext(c: Call) -> Value:
    """(x, shape, weight, bias, eps)"""
    shape, kind = [int(n) for n in c.operands[1]], c.dtype(0)
    scale = c.tensor(2) if c.given(2) else c.build.constant(np.ones(shape, kind))
    y = c.build.add(
        "LayerNormalization",
        [c.tensor(0), scale, *([c.tensor(3)] if c.given(3) else [])],
        axis=-len(shape),
        epsilon=float(c.value(4, "eps", 1e-5)),
    )
    return (Ref(y, c.shape(0), kind),)


def _group_norm(c: Call) -> Value:
    """(x, groups, weight, bias, eps), channels second.

    Written out: onnxruntime's InstanceNormalization is right to 2e-5 only.
    """
    groups, kind, b = int(c.value(1, "num_groups")), c.dtype(0), c.build
    flat = b.add("Reshape", [c.tensor(0), b.ints([0, groups, -1])])
    y = _centred(c, flat, [-1], float(c.value(4, "eps", 1e-5)))
    y = b.add("Reshape", [y, b.shape_vector(c.sizes(0))])
    column = b.ints([-1] + [1] * (c.rank(0) - 2))
    for index, op in ((2, "Mul"), (3, "Add")):
        if c.given(index):
            y = b.add(op, [y, b.add("Reshape", [c.tensor(index), column])])
    return (Ref(y, c.shape(0), kind),)


def _rms_norm(c: Call) -> Value:
    """(x, weight, eps), over the weight's axes."""
    x, b, kind = c.tensor(0), c.build, c.dtype(0)
    axes = list(range(-c.rank(1), 0))
    mean = reduced(c, "ReduceMean", b.add("Mul", [x, x]), axes, True)
    root = b.add("Sqrt", [b.add("Add", [mean, c.named(float(c.value(2, "epsilon", 1e-6)), kind)])])
    y = b.add("Mul", [b.add("Div", [x, root]), c.tensor(1)])
    return (Ref(y, c.shape(0), kind),)


NORMS: Mapping[str, Converter] = {
    "BatchNorm": _batch_norm,
    "BatchNormExt": _batch_norm_ext,
    "LayerNorm": _layer_norm,
    "LayerNormV3": _layer_norm,
    "LayerNormExt": _layer_norm_ext,
    "GroupNorm": _group_norm,
    "RmsNorm": _rms_norm,
}
