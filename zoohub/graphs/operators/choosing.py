"""Elements chosen by number or by size: gathers, embeddings, the largest, one-hot vectors."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from zoohub.graphs.onnx_builder import Ref, Value
from zoohub.graphs.operators.call import Call, Converter


def _indices(c: Call, index: int) -> str:
    """Whole numbers as int64, which every runtime takes."""
    value = c.operands[index]
    if isinstance(value, Ref) and value.dtype != "int64":
        return c.cast(value.name, "int64")
    return c.tensor(index, "int64")


def _gather(c: Call) -> Value:
    if isinstance(c.operands[0], tuple):
        return c.operands[0][int(c.operands[1])]
    if c.value(3, "batch_dims", 0):
        raise c.unsupported("batch_dims")
    return c.add("Gather", [c.tensor(0), c.tensor(1)], axis=int(c.value(2, "axis", 0)))


def _gather_elements(c: Call) -> Value:
    return c.add("GatherElements", [c.tensor(0), _indices(c, 2)], axis=c.axis(1, "dim"))


def _gather_nd(c: Call) -> Value:
    return c.add("GatherND", [c.tensor(0), _indices(c, 1)])


def _index_select(c: Call) -> Value:
    return c.add("Gather", [c.tensor(0), _indices(c, 2)], axis=c.axis(1, "dim"))


def _index(c: Call) -> Value:
    """(x, (indices, …)): the first axes by tensors of whole numbers."""
    given = c.operands[1]
    if not isinstance(given, tuple) or not given:
        raise c.unsupported("indices of that form")
    kinds = [g.dtype if isinstance(g, Ref) else np.asarray(g).dtype.name for g in given]
    if "bool" in kinds:
        raise c.unsupported("truth values as indices")
    names = [c.named(g, "int64") for g in given]
    if len(names) == 1:
        return c.add("Gather", [c.tensor(0), names[0]], axis=0)
    names = [
        name if kind == "int64" or not isinstance(g, Ref) else c.cast(name, "int64")
        for name, kind, g in zip(names, kinds, given, strict=True)
    ]
    columns = [c.build.add("Unsqueeze", [name, c.build.ints([-1])]) for name in names]
    return c.add("GatherND", [c.tensor(0), c.build.add("Concat", columns, axis=-1)])


def _embedding(c: Call) -> Value:
    return c.add("Gather", [c.tensor(1), c.tensor(0)], axis=0)


def _kind(c: Call, part: int, default: str) -> str:
    parts = c.node.parts
    return (parts[part][1] if part < len(parts) else None) or default


def _largest(c: Call, count: Value, axis: int, largest: bool) -> Value:
    values, places = c.build.fresh("topk"), c.build.fresh("topk")
    number = c.build.shape_vector([count])
    c.build.add_node(
        "TopK", [c.tensor(0), number], [values, places], axis=axis, largest=int(largest)
    )
    kind = _kind(c, 1, "int64")
    return c.results(values, places if kind == "int64" else c.cast(places, kind))


def _top_k(c: Call) -> Value:
    axis = c.axis(2, "dim", -1)
    largest = c.flag(3, "largest", True)
    count = c.operands[1]
    if isinstance(count, np.ndarray):
        count = int(count.reshape(()))
    if isinstance(count, Ref):
        raise c.unsupported("a number computed at run time")
    return _largest(c, count, axis, largest)


def _sort(c: Call) -> Value:
    axis = c.axis(1, "axis" if c.node.op == "Sort" else "dim", -1)
    return _largest(c, c.sizes(0)[axis], axis, c.flag(2, "descending"))


def _place(op: str) -> Converter:
    """Where the largest or the smallest is: (x, axis, keep or type)."""

    def convert(c: Call) -> Value:
        tensor, axis = c.tensor(0), c.value(1, "axis", -1)
        if axis is None:
            tensor, axis = c.build.add("Reshape", [tensor, c.build.ints([-1])]), 0
        keep = int(c.flag(2, "keepdim")) if c.node.op.endswith("Ext") else 0
        found = c.build.add(op, [tensor], axis=int(axis), keepdims=keep)
        kind = c.node.dtype or "int64"
        return c.result(found if kind == "int64" else c.cast(found, kind))

    return convert


def _with_value(place: str, value: str, value_first: bool) -> Converter:
    """The largest or smallest along an axis, and where: (x, axis, keep)."""

    def convert(c: Call) -> Value:
        axis, keep = c.axis(1, "axis"), int(c.flag(2, "keep_dims"))
        extreme = c.build.add(value, [c.tensor(0)], axes=[axis], keepdims=keep)
        where = c.build.add(place, [c.tensor(0)], axis=axis, keepdims=keep)
        kind = _kind(c, 1 if value_first else 0, "int32")
        where = where if kind == "int64" else c.cast(where, kind)
        return c.results(extreme, where) if value_first else c.results(where, extreme)

    return convert


def _one_hot(c: Call) -> Value:
    kind = c.node.dtype or c.dtype(2)
    ends = [
        c.build.add("Reshape", [c.tensor(i, kind), c.build.ints([1])])
        if isinstance(c.operands[i], Ref)
        else c.build.constant(np.asarray(c.operands[i], kind).reshape(1))
        for i in (3, 2)
    ]
    values = c.build.add("Concat", ends, axis=0)
    depth = c.operands[1]
    count = c.build.shape_vector([int(depth) if isinstance(depth, np.ndarray) else depth])
    axis = int(c.value(4, "axis", -1))
    return c.add("OneHot", [_indices(c, 0), count, values], axis=axis)


def _triangle(upper: int) -> Converter:
    def convert(c: Call) -> Value:
        diagonal = np.array(int(c.value(1, "diagonal", 0)), np.int64)
        return c.add("Trilu", [c.tensor(0), c.build.constant(diagonal)], upper=upper)

    return convert


CHOOSING: Mapping[str, Converter] = {
    "Gather": _gather,
    "GatherD": _gather_elements,
    "GatherNd": _gather_nd,
    "IndexSelect": _index_select,
    "Index": _index,
    "Embedding": _embedding,
    "TopK": _top_k,
    "TopkExt": _top_k,
    "Sort": _sort,
    "SortExt": _sort,
    "Argmax": _place("ArgMax"),
    "ArgMaxExt": _place("ArgMax"),
    "Argmin": _place("ArgMin"),
    "ArgMinExt": _place("ArgMin"),
    "ArgMaxWithValue": _with_value("ArgMax", "ReduceMax", False),
    "ArgMinWithValue": _with_value("ArgMin", "ReduceMin", False),
    "MaxDim": _with_value("ArgMax", "ReduceMax", True),
    "MinDim": _with_value("ArgMin", "ReduceMin", True),
    "OneHot": _one_hot,
    "OneHotExt": _one_hot,
    "Tril": _triangle(0),
    "TrilExt": _triangle(0),
    "Triu": _triangle(1),
}
