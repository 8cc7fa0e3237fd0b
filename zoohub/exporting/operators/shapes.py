"""Shapes, read and changed; padding and resizing; and what only holds a graph together."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from zoohub.exporting.onnx_builder import Dim, Ref, Value
from zoohub.exporting.operators.call import Call, Converter, simple


def _shape_of(c: Call) -> Value:
    """Known dimensions as numbers, the others read from the tensor."""
    shape = c.shape(0)
    if None not in shape:
        return tuple(shape)
    vector = c.build.add("Shape", [c.tensor(0)])
    return tuple(
        Dim(c.build.add("Gather", [vector, c.build.ints([i])], axis=0)) if size is None else size
        for i, size in enumerate(shape)
    )


def _reshape(c: Call) -> Value:
    target = list(c.operands[1])
    return c.add("Reshape", [c.tensor(0), c.build.shape_vector(target)])


def _transpose(c: Call) -> Value:
    order = c.value(1, "perm")
    return c.add("Transpose", [c.tensor(0)], perm=[int(axis) for axis in order])


def _axes(op: str) -> Converter:
    def convert(c: Call) -> Value:
        axes = c.value(1, "axis")
        axes = [axes] if isinstance(axes, int) else list(axes or ())
        return c.add(op, [c.tensor(0), c.build.ints(axes)] if axes else [c.tensor(0)])

    return convert


def _vector(op: str) -> Converter:
    """Operators with a shape as second operand."""
    return lambda c: c.add(op, [c.tensor(0), c.build.shape_vector(list(c.value(1, "shape")))])


def _tile(c: Call) -> Value:
    repeats = list(c.operands[1])
    missing = c.rank(0) - len(repeats)
    return c.add("Tile", [c.tensor(0), c.build.shape_vector([1] * missing + repeats)])


def _pad(c: Call) -> Value:
    pairs = c.attribute("paddings")
    pads = [before for before, _ in pairs] + [after for _, after in pairs]
    return c.add("Pad", [c.tensor(0), c.build.ints(pads)])


def _pad_v3(c: Call) -> Value:
    """Pairs of (before, after), of the last axis first; only as many axes as there are pairs."""
    flat = [int(number) for number in np.asarray(c.operands[1]).reshape(-1)]
    if c.attribute("mode", "constant") != "constant" or not c.attribute(
        "paddings_contiguous", True
    ):
        raise c.unsupported("another mode than constant")
    pairs = [(flat[i], flat[i + 1]) for i in range(0, len(flat), 2)][::-1]
    pairs = [(0, 0)] * (c.rank(0) - len(pairs)) + pairs
    pads = [before for before, _ in pairs] + [after for _, after in pairs]
    value = c.operands[2] if len(c.operands) > 2 and c.operands[2] is not None else 0.0
    number = float(np.asarray(value).reshape(()))
    return c.add("Pad", [c.tensor(0), c.build.ints(pads), c.named(number)])


def _depth_to_space(c: Call) -> Value:
    block = int(c.attribute("block_size"))
    source = c.build.producers.get(c.tensor(0))
    # Four copies of one map spread over 2×2 pixels are an upsampling, which copies nothing twice.
    channels = source is not None and source.op_type == "Concat" and source.attribute[0].i == 1
    copies = list(source.input) if source is not None and channels else []
    if block == 2 and len(copies) == 4 and len(set(copies)) == 1:
        scales = c.build.constant(np.array([1, 1, block, block], np.float32))
        return c.add(
            "Resize",
            [copies[0], "", scales],
            mode="nearest",
            coordinate_transformation_mode="asymmetric",
            nearest_mode="floor",
        )
    return c.add("DepthToSpace", [c.tensor(0)], blocksize=block, mode="DCR")


def _resize_nearest(c: Call) -> Value:
    """(B, C, H, W) to a size; MindSpore picks floor(y·H/H'), as ONNX's asymmetric floor."""
    if c.value(2, "align_corners", False) or c.value(3, "half_pixel_centers", False):
        raise c.unsupported("align_corners or half_pixel_centers")
    size = c.value(1, "size")
    leading = c.build.add(
        "Slice", [c.build.add("Shape", [c.tensor(0)]), *map(c.build.ints, ([0], [2]))]
    )
    sizes = c.build.add("Concat", [leading, c.build.shape_vector(list(size))], axis=0)
    return c.add(
        "Resize",
        [c.tensor(0), "", "", sizes],
        mode="nearest",
        coordinate_transformation_mode="asymmetric",
        nearest_mode="floor",
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
    "StopGradient": _first,
    "MakeTuple": lambda c: c.operands,
    "TupleGetItem": _item,
    "TupleToTensor": lambda c: Ref(c.build.shape_vector(c.operands[0]), c.node.shape),
    "UpdateState": lambda c: None,
    "Shape": _shape_of,
    "ScalarToTensor": _first,
    "TensorToScalar": _first,
    "DepthToSpace": _depth_to_space,
    "Reshape": _reshape,
    "Flatten": simple("Flatten"),
    "Transpose": _transpose,
    "ExpandDims": _axes("Unsqueeze"),
    "Squeeze": _axes("Squeeze"),
    "Tile": _tile,
    "BroadcastTo": _vector("Expand"),
    "Pad": _pad,
    "PadV3": _pad_v3,
    "ResizeNearestNeighbor": _resize_nearest,
    "ResizeNearestNeighborV2": _resize_nearest,
}
