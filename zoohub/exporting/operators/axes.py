"""What works along axes: reductions, slices, parts put together and taken apart."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from zoohub.exporting.onnx_builder import Dim, Ref, Value
from zoohub.exporting.operators.call import Call, Converter, one


def _reduce(op: str, axes_name: str = "axis") -> Converter:
    def convert(c: Call) -> Value:
        axes = c.value(1, axes_name)
        axes = [axes] if isinstance(axes, int) else list(axes or range(c.rank(0)))
        keep = int(bool(c.value(2, "keep_dims", False)))
        if op == "ReduceSum":
            return c.add(op, [c.tensor(0), c.build.ints(axes)], keepdims=keep)
        return c.add(op, [c.tensor(0)], axes=axes, keepdims=keep)

    return convert


def _cum_sum(c: Call) -> Value:
    axis = np.array(c.value(1, "axis"), np.int64)
    exclusive, reverse = (
        int(bool(c.value(2 + i, n))) for i, n in enumerate(("exclusive", "reverse"))
    )
    return c.add(
        "CumSum", [c.tensor(0), c.build.constant(axis)], exclusive=exclusive, reverse=reverse
    )


def _concat(c: Call) -> Value:
    parts = c.operands[0] if isinstance(c.operands[0], tuple) else c.operands[:-1]
    axis = c.operands[-1] if isinstance(c.operands[-1], int) else c.attribute("axis", 0)
    return c.add("Concat", [c.named(part) for part in parts], axis=int(axis))


def _stack(c: Call) -> Value:
    parts = c.operands[0] if isinstance(c.operands[0], tuple) else c.operands
    axis = int(c.attribute("axis", 0))
    return c.add(
        "Concat",
        [c.build.add("Unsqueeze", [c.named(p), c.build.ints([axis])]) for p in parts],
        axis=axis,
    )


def _unstack(c: Call) -> Value:
    axis = int(c.attribute("axis", 0))
    count = c.shape(0)[axis]
    if count is None:
        raise c.unsupported("an unknown number of parts")
    parts = c.build.add_split(c.tensor(0), axis, [1] * count)
    axes = c.build.ints([axis])
    rest = tuple(size for i, size in enumerate(c.shape(0)) if i != axis % c.rank(0))
    return tuple(Ref(c.build.add("Squeeze", [part, axes]), rest) for part in parts)


def _split(c: Call) -> Value:
    axis, count = int(c.value(1, "axis", 0)), int(c.value(2, "output_num", 1))
    shape = c.shape(0)
    size = shape[axis]
    if size is None or size % count:
        raise c.unsupported(f"{count} parts of an axis of {size}")
    part = tuple(size // count if i == axis % len(shape) else d for i, d in enumerate(shape))
    names = c.build.add_split(c.tensor(0), axis, [size // count] * count)
    return tuple(Ref(name, part) for name in names)


def _strided_slice(c: Call) -> Value:
    if isinstance(c.operands[0], tuple):  # of a shape
        first, last, by = (one(c.operands[i]) for i in (1, 2, 3))
        return c.operands[0][first:last:by]
    begin, end, strides = (list(c.operands[i]) for i in (1, 2, 3))
    names = ("begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask")
    masks = {name: int(c.value(4 + i, name, 0)) for i, name in enumerate(names)}
    if masks["ellipsis_mask"] or masks["new_axis_mask"]:
        raise c.unsupported("an ellipsis or a new axis")
    slices: list[tuple[Value, Value, int, int]] = []
    dropped: list[int] = []
    for axis, (start, stop, step) in enumerate(zip(begin, end, strides, strict=True)):
        bit = 1 << axis
        if masks["shrink_axis_mask"] & bit:
            dropped.append(axis)
            stop, step = (start + 1 if start != -1 else 1 << 62), 1
        else:
            if masks["begin_mask"] & bit:
                start = 0 if step > 0 else 1 << 62
            if masks["end_mask"] & bit:
                stop = 1 << 62 if step > 0 else -(1 << 62)
        if (start, stop, step) == (0, 1 << 62, 1):
            continue
        slices.append((start, stop, axis, step))
    result = c.tensor(0)
    if slices:
        starts, ends, axes, steps = zip(*slices, strict=True)
        bounds = [c.build.shape_vector(starts), c.build.shape_vector(ends)]
        result = c.build.add("Slice", [result, *bounds, c.build.ints(axes), c.build.ints(steps)])
    if dropped:
        result = c.build.add("Squeeze", [result, c.build.ints(dropped)])
    return Ref(result, c.node.shape)


def _gather(c: Call) -> Value:
    if isinstance(c.operands[0], tuple):
        return c.operands[0][int(c.operands[1])]
    return c.add("Gather", [c.tensor(0), c.tensor(1)], axis=int(c.value(2, "axis", 0)))


def _range(c: Call) -> Value:
    start, stop, step = c.operands[:3]
    if not any(isinstance(bound, Dim | Ref) for bound in (start, stop, step)):
        return np.arange(start, stop, step)
    scalars = [
        c.build.add("Squeeze", [b.name]) if isinstance(b, Dim) else c.named(b)
        for b in (start, stop, step)
    ]
    return c.add("Range", scalars)


AXES: Mapping[str, Converter] = {
    "ReduceMean": _reduce("ReduceMean"),
    "MeanExt": _reduce("ReduceMean"),
    "ReduceSum": _reduce("ReduceSum"),
    "SumExt": _reduce("ReduceSum"),
    "ReduceMax": _reduce("ReduceMax"),
    "ReduceMin": _reduce("ReduceMin"),
    "CumSum": _cum_sum,
    "Range": _range,
    "Concat": _concat,
    "Stack": _stack,
    "Unstack": _unstack,
    "Split": _split,
    "StridedSlice": _strided_slice,
    "Gather": _gather,
}
