"""Shapes, read and changed; and what only holds a graph together."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from zoohub.graphs.onnx_builder import Dim, Ref, Value
from zoohub.graphs.operators.call import Call, Converter


def _reshape(c: Call) -> Value:
    target = c.operands[1]
    if isinstance(target, Ref):
        return c.add("Reshape", [c.tensor(0), target.name])
    return c.add("Reshape", [c.tensor(0), c.build.shape_vector(list(target))])


def _flatten(c: Call) -> Value:
    """From the second axis on."""
    return c.add("Flatten", [c.tensor(0)])


def _flatten_between(c: Call) -> Value:
    """(x, first axis, last axis)"""
    first, last = c.axis(1, "start_dim", 0), c.axis(2, "end_dim", -1)
    sizes = list(c.sizes(0))
    middle = sizes[first : last + 1]
    whole = int(np.prod(middle)) if all(isinstance(n, int) for n in middle) else -1
    known = [n if isinstance(n, int) else 0 for n in sizes[:first]]  # 0 keeps what comes first
    target = [*known, whole, *sizes[last + 1 :]]
    return c.add("Reshape", [c.tensor(0), c.build.shape_vector(target)])


def _transpose(c: Call) -> Value:
    order = c.value(1, "perm")
    return c.add("Transpose", [c.tensor(0)], perm=[int(axis) % len(order) for axis in order])


def _swap(c: Call) -> Value:
    """(x, axis, axis)"""
    order = list(range(c.rank(0)))
    first, second = c.axis(1, "dim0"), c.axis(2, "dim1")
    order[first], order[second] = order[second], order[first]
    return c.add("Transpose", [c.tensor(0)], perm=order)


def _axes(op: str) -> Converter:
    def convert(c: Call) -> Value:
        axes = c.value(1, "axis")
        axes = [axes] if isinstance(axes, int) else list(axes or ())
        if op == "Squeeze" and not axes:
            axes = [i for i, size in enumerate(c.shape(0)) if size == 1]
        return c.add(op, [c.tensor(0), c.build.ints(axes)] if axes else [c.tensor(0)])

    return convert


def _broadcast(c: Call) -> Value:
    """To a shape in which -1 keeps a size."""
    shape = [1 if size == -1 else size for size in c.value(1, "shape")]
    return c.add("Expand", [c.tensor(0), c.build.shape_vector(shape)])


def _expand_as(c: Call) -> Value:
    return c.add("Expand", [c.tensor(0), c.build.add("Shape", [c.tensor(1)])])


def _mesh(c: Call) -> Value:
    """Each of several vectors spread over the axes of the others."""
    vectors = c.operands[0] if isinstance(c.operands[0], tuple) else c.operands
    crossed = c.value(1, "indexing", "xy") in ("xy", 1)
    order = list(range(len(vectors)))
    if crossed and len(order) > 1:
        order[0], order[1] = 1, 0
    spread = []
    for place, vector in zip(order, vectors, strict=True):
        shape = [-1 if i == place else 1 for i in range(len(vectors))]
        spread.append(c.build.add("Reshape", [c.named(vector), c.build.ints(shape)]))
    whole = c.build.add("Shape", [c.build.add("Sum", spread)])
    return c.results(*(c.build.add("Expand", [name, whole]) for name in spread))


def _range(c: Call) -> Value:
    start, stop, step = c.operands[:3]
    kind = c.node.dtype or "int64"
    if not any(isinstance(bound, Dim | Ref) for bound in (start, stop, step)):
        return np.arange(start, stop, step).astype(kind)
    scalars = []
    for bound in (start, stop, step):
        scalar = c.build.add("Squeeze", [bound.name]) if isinstance(bound, Dim) else None
        scalars.append(scalar or c.named(bound, "int64"))
    found = c.build.add("Range", scalars)
    return c.result(found if kind == "int64" else c.cast(found, kind))


def _numbers_of(c: Call) -> Value:
    """A vector's numbers one by one."""
    if isinstance(c.operands[0], np.ndarray):
        return tuple(c.operands[0].tolist())
    (count,) = c.shape(0)
    if count is None:
        raise c.unsupported("an unknown number of numbers")
    vector = c.tensor(0) if c.dtype(0) == "int64" else c.cast(c.tensor(0), "int64")
    return tuple(
        Dim(c.build.add("Gather", [vector, c.build.ints([i])], axis=0)) for i in range(count)
    )


def _first(c: Call) -> Value:
    return c.operands[0]


def _item(c: Call) -> Value:
    return c.operands[0][int(c.operands[1])]


SHAPES: Mapping[str, Converter] = {
    "Load": _first,
    "Depend": _first,
    "Return": _first,
    "Identity": _first,
    "Contiguous": _first,
    "Copy": _first,
    "Clone": _first,
    "StopGradient": _first,
    "MakeTuple": lambda c: c.operands,
    "make_list": lambda c: c.operands,
    "MakeList": lambda c: c.operands,
    "TupleGetItem": _item,
    "ListGetItem": _item,
    "RealTupleGetItem": _item,
    "TupleToTensor": lambda c: Ref(c.build.shape_vector(c.operands[0]), c.node.shape, "int64"),
    "TensorToTuple": _numbers_of,
    "UpdateState": lambda c: None,
    "Shape": lambda c: c.sizes(0),
    "TensorShape": lambda c: c.add("Shape", [c.tensor(0)]),
    "ScalarToTensor": _first,
    "TensorToScalar": _first,
    "Reshape": _reshape,
    "View": _reshape,
    "Flatten": _flatten,
    "FlattenExt": _flatten_between,
    "Transpose": _transpose,
    "TransposeExt": _swap,
    "ExpandDims": _axes("Unsqueeze"),
    "Squeeze": _axes("Squeeze"),
    "BroadcastTo": _broadcast,
    "ExpandAs": _expand_as,
    "Meshgrid": _mesh,
    "Range": _range,
    "Arange": _range,
}
