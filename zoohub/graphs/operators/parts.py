"""Parts put together and taken apart: concatenation, splits, slices, rolls, repeats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from zoohub.graphs.onnx_builder import Dim, Ref, Value
from zoohub.graphs.operators.call import Call, Converter, one

FAR = 1 << 62


def slice_axis(c: Call, tensor: str, axis: int, start: Value, stop: Value, step: int = 1) -> str:
    """A slice along one axis."""
    bounds = [c.build.shape_vector([start]), c.build.shape_vector([stop])]
    return c.build.add("Slice", [tensor, *bounds, c.build.ints([axis]), c.build.ints([step])])


def reversed_axis(c: Call, tensor: str, axis: int) -> str:
    """A tensor backwards along one axis."""
    return slice_axis(c, tensor, axis, -1, -FAR, -1)


def _parts_and_axis(c: Call, name: str) -> tuple[Sequence[Value], int]:
    if isinstance(c.operands[0], tuple):
        parts = c.operands[0]
        axis = c.operands[1] if len(c.operands) > 1 else c.attribute(name, 0)
    else:
        last = isinstance(c.operands[-1], int)
        parts = c.operands[:-1] if last else c.operands
        axis = c.operands[-1] if last else c.attribute(name, 0)
    return parts, int(axis)


def _concat(c: Call) -> Value:
    parts, axis = _parts_and_axis(c, "axis")
    kind = next((p.dtype for p in parts if isinstance(p, Ref)), None)
    return c.add("Concat", [c.named(part, kind) for part in parts], axis=axis)


def _stack(c: Call) -> Value:
    parts, axis = _parts_and_axis(c, "dim" if c.node.op == "StackExt" else "axis")
    kind = next((p.dtype for p in parts if isinstance(p, Ref)), None)
    return c.add(
        "Concat",
        [c.build.add("Unsqueeze", [c.named(p, kind), c.build.ints([axis])]) for p in parts],
        axis=axis,
    )


def _split_into(c: Call, axis: int, sizes: Sequence[int]) -> Value:
    shape, kind = c.shape(0), c.dtype(0)
    names = c.build.add_split(c.tensor(0), axis, sizes)
    return tuple(
        Ref(name, tuple(size if i == axis else d for i, d in enumerate(shape)), kind)
        for name, size in zip(names, sizes, strict=True)
    )


def _known_size(c: Call, axis: int) -> int:
    size = c.shape(0)[axis]
    if size is None:
        raise c.unsupported("an unknown number of parts")
    return size


def _unstack(c: Call) -> Value:
    axis = c.axis(1, "axis")
    parts = _split_into(c, axis, [1] * _known_size(c, axis))
    axes = c.build.ints([axis])
    rest = tuple(size for i, size in enumerate(c.shape(0)) if i != axis)
    kind = c.dtype(0)
    return tuple(Ref(c.build.add("Squeeze", [part.name, axes]), rest, kind) for part in parts)


def _split(c: Call) -> Value:
    axis, count = c.axis(1, "axis"), int(c.value(2, "output_num", 1))
    size = _known_size(c, axis)
    if size % count:
        raise c.unsupported(f"{count} parts of an axis of {size}")
    return _split_into(c, axis, [size // count] * count)


def _split_by_size(c: Call) -> Value:
    axis, part = c.axis(2, "dim"), int(c.value(1, "split_size"))
    size = _known_size(c, axis)
    return _split_into(c, axis, [min(part, size - start) for start in range(0, size, part)])


def _split_with_sizes(c: Call) -> Value:
    return _split_into(c, c.axis(2, "dim"), [int(size) for size in c.value(1, "split_size")])


def _chunk(c: Call) -> Value:
    axis, count = c.axis(2, "dim"), int(c.value(1, "chunks"))
    size = _known_size(c, axis)
    part = -(-size // count)
    return _split_into(c, axis, [min(part, size - start) for start in range(0, size, part)])


def _strided_slice(c: Call) -> Value:
    if isinstance(c.operands[0], tuple):  # of a shape
        first, last, by = (one(c.operands[i]) for i in (1, 2, 3))
        return c.operands[0][first:last:by]
    names = ("begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask")
    masks = {name: int(c.value(4 + i, name, 0)) for i, name in enumerate(names)}
    tensor, taken = c.tensor(0), 0
    added: list[int] = []
    dropped: list[int] = []
    slices: list[tuple[Value, Value, int, int]] = []
    bounds = list(zip(*(list(c.operands[i]) for i in (1, 2, 3)), strict=True))
    for place, (start, stop, step) in enumerate(bounds):
        bit = 1 << place
        if masks["ellipsis_mask"] & bit:
            later = bin(masks["new_axis_mask"] >> (place + 1)).count("1")
            taken = c.rank(0) - (len(bounds) - place - 1 - later)
            continue
        if masks["new_axis_mask"] & bit:
            added.append(taken + len(added) - len(dropped))
            continue
        if masks["shrink_axis_mask"] & bit:
            dropped.append(taken)
            stop, step = (start + 1 if start != -1 else FAR), 1
        else:
            if masks["begin_mask"] & bit:
                start = 0 if step > 0 else FAR
            if masks["end_mask"] & bit:
                stop = FAR if step > 0 else -FAR
        if (start, stop, step) != (0, FAR, 1):
            slices.append((start, stop, taken, step))
        taken += 1
    if slices:
        starts, ends, axes, steps = zip(*slices, strict=True)
        edges = [c.build.shape_vector(starts), c.build.shape_vector(ends)]
        tensor = c.build.add("Slice", [tensor, *edges, c.build.ints(axes), c.build.ints(steps)])
    if dropped:
        tensor = c.build.add("Squeeze", [tensor, c.build.ints(dropped)])
    if added:
        tensor = c.build.add("Unsqueeze", [tensor, c.build.ints(added)])
    return c.result(tensor)


def _slice(c: Call) -> Value:
    """(x, begin, size)"""
    begin, size = list(c.operands[1]), list(c.operands[2])
    ends = [_end(c, b, n) for b, n in zip(begin, size, strict=True)]
    axes = c.build.ints(range(len(begin)))
    bounds = [c.build.shape_vector(begin), c.build.shape_vector(ends)]
    return c.add("Slice", [c.tensor(0), *bounds, axes])


def _end(c: Call, begin: Value, size: Value) -> Value:
    if isinstance(size, int) and isinstance(begin, int):
        return FAR if size == -1 else begin + size
    if begin == 0:
        return size
    return Dim(c.build.add("Add", [c.build.shape_vector([begin]), c.build.shape_vector([size])]))


def _slice_ext(c: Call) -> Value:
    """(x, axis, start, end, step)"""
    step = int(c.operands[4]) if c.given(4) else 1
    return c.result(
        slice_axis(c, c.tensor(0), c.axis(1, "dim"), c.operands[2], c.operands[3], step)
    )


def _narrow(c: Call) -> Value:
    start, length = int(c.operands[2]), int(c.operands[3])
    return c.result(slice_axis(c, c.tensor(0), c.axis(1, "dim"), start, start + length))


def _select_one(c: Call) -> Value:
    """(x, axis, index)"""
    index = c.build.constant(np.array(int(c.operands[2]), np.int64))
    return c.add("Gather", [c.tensor(0), index], axis=c.axis(1, "dim"))


def _roll(c: Call) -> Value:
    shifts, axes = (
        c.value(1, "shifts", c.attribute("shift")),
        c.value(2, "dims", c.attribute("axis")),
    )
    shifts = [shifts] if isinstance(shifts, int) else list(shifts)
    axes = [axes] if isinstance(axes, int) else list(axes or ())
    if not axes:
        raise c.unsupported("no axes")
    tensor = c.tensor(0)
    for shift, axis in zip(shifts, axes, strict=True):
        size = c.shape(0)[axis]
        shift = int(shift) % size if size else int(shift)
        if shift:
            halves = [
                slice_axis(c, tensor, axis, -shift, FAR),
                slice_axis(c, tensor, axis, 0, -shift),
            ]
            tensor = c.build.add("Concat", halves, axis=int(axis))
    return c.result(tensor)


def _flip(c: Call) -> Value:
    axes = c.value(1, "axis", c.attribute("dims"))
    tensor = c.tensor(0)
    for axis in [axes] if isinstance(axes, int) else axes:
        tensor = reversed_axis(c, tensor, int(axis))
    return c.result(tensor)


def _tile(c: Call) -> Value:
    repeats = list(c.operands[1])
    missing = c.rank(0) - len(repeats)
    tensor = c.tensor(0)
    if missing < 0:
        tensor = c.build.add("Unsqueeze", [tensor, c.build.ints(range(-missing))])
    return c.add("Tile", [tensor, c.build.shape_vector([1] * missing + repeats)])


def _repeat(c: Call) -> Value:
    """Each element along an axis several times."""
    count, axis = int(c.value(1, "repeats")), c.axis(2, "dim")
    places = np.repeat(np.arange(_known_size(c, axis)), count)
    return c.add("Gather", [c.tensor(0), c.build.ints(places.tolist())], axis=axis)


PARTS: Mapping[str, Converter] = {
    "Concat": _concat,
    "Stack": _stack,
    "StackExt": _stack,
    "Unstack": _unstack,
    "UnstackExt": _unstack,
    "Split": _split,
    "SplitTensor": _split_by_size,
    "SplitWithSize": _split_with_sizes,
    "SplitV": lambda c: _split_into(
        c, int(c.attribute("split_dim")) % c.rank(0), list(c.attribute("size_splits"))
    ),
    "Chunk": _chunk,
    "StridedSlice": _strided_slice,
    "Slice": _slice,
    "SliceExt": _slice_ext,
    "Narrow": _narrow,
    "SelectExt": _select_one,
    "Roll": _roll,
    "ReverseV2": _flip,
    "Flip": _flip,
    "Tile": _tile,
    "RepeatInterleaveInt": _repeat,
}
