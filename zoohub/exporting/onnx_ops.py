"""MindSpore's operators written as ONNX's: one small function each, found by operator name.

Covers what zoohub's networks compile to, and the neighbours of those operators; among them what
`mindspore.onnx.export` lacks: run-time shapes, CumSum, AdaptiveAvgPool2D, InplaceAddExt, HSwish,
Unstack. Operands come as `Value`s in the order of MindSpore's operator definitions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from zoohub.errors import ExportError
from zoohub.exporting.graph import DTYPES, Node
from zoohub.exporting.onnx_builder import Dim, OnnxBuilder, Ref, Value


class Unsupported(ExportError):
    """An operator, or a form of one, that the ONNX conversion lacks."""


@dataclass(frozen=True, slots=True)
class Call:
    """One operator being converted."""

    build: OnnxBuilder
    node: Node
    operands: tuple[Value, ...]

    def tensor(self, index: int) -> str:
        """The name of an operand as a tensor; constants become initialisers."""
        return self.named(self.operands[index])

    def named(self, value: Value) -> str:
        """The name of any value as a tensor."""
        if isinstance(value, Ref | Dim):
            return value.name
        if isinstance(value, bool):
            return self.build.constant(np.array(value))
        if isinstance(value, int):
            return self.build.constant(np.array(value, np.int64))
        if isinstance(value, float):
            return self.build.constant(np.array(value, np.float32))
        if isinstance(value, np.ndarray):
            return self.build.constant(value)
        raise self.unsupported(f"an operand {type(value).__name__}")

    def shape(self, index: int = 0) -> tuple[int | None, ...]:
        """The shape of an operand."""
        value = self.operands[index]
        if isinstance(value, Ref) and value.shape is not None:
            return value.shape
        if isinstance(value, np.ndarray):
            return tuple(value.shape)
        raise self.unsupported("an operand of unknown rank")

    def rank(self, index: int = 0) -> int:
        """The number of an operand's dimensions."""
        return len(self.shape(index))

    def value(self, index: int, attribute: str, default: Any = None) -> Any:
        """A setting: newer MindSpore gives it as an operand, older as an attribute."""
        if index < len(self.operands):
            value = self.operands[index]
        else:
            value = self.node.attributes.get(attribute, default)
        if isinstance(value, np.ndarray):
            return value.tolist()
        if isinstance(value, Ref):
            raise self.unsupported(f"{attribute} computed at run time")
        return value

    def attribute(self, name: str, default: Any = None) -> Any:
        """A setting that is always an attribute."""
        return self.node.attributes.get(name, default)

    def add(self, op: str, inputs: Sequence[str], **attributes: Any) -> Ref:
        """The operator's last node."""
        return Ref(self.build.add(op, inputs, **attributes), self.node.shape)

    def unsupported(self, what: str) -> Unsupported:
        """The error for a form that is not converted."""
        return Unsupported(
            f"the ONNX conversion cannot write MindSpore's {self.node.op} with {what}"
        )


Converter = Callable[[Call], Value]


def _simple(op: str, count: int = 1, **attributes: Any) -> Converter:
    return lambda c: c.add(op, [c.tensor(i) for i in range(count)], **attributes)


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


def _conv(c: Call) -> Value:
    kernel, stride, dilation = (c.attribute(n) for n in ("kernel_size", "stride", "dilation"))
    settings: dict[str, Any] = {
        "kernel_shape": list(kernel),
        "strides": list(stride[-2:]),
        "dilations": list(dilation[-2:]),
        "group": int(c.attribute("group", 1)),
    }
    settings |= _padding(c.attribute("pad_mode"), c.attribute("pad_list"))
    return c.add("Conv", [c.tensor(0), c.tensor(1)], **settings)


def _padding(mode: Any, pads: Any = None) -> dict[str, Any]:
    """ONNX's padding for MindSpore's `pad_mode` (0 pad, 1 same, 2 valid, or by name)."""
    names = {0: "pad", 1: "same", 2: "valid"}
    name = names[mode] if isinstance(mode, int) else str(mode).lower()
    if name == "same":
        return {"auto_pad": "SAME_UPPER"}
    if name == "valid" or pads is None or not any(pads):
        return {}
    top, bottom, left, right = pads
    return {"pads": [top, left, bottom, right]}


def _max_pool(c: Call) -> Value:
    kernel, strides = c.attribute("kernel_size"), c.attribute("strides")
    padding = _padding(c.attribute("pad_mode"))
    return c.add(
        "MaxPool",
        [c.tensor(0)],
        kernel_shape=list(kernel[-2:]),
        strides=list(strides[-2:]),
        **padding,
    )


def _avg_pool(c: Call) -> Value:
    kernel = c.value(1, "kernel_size")
    strides, mode = c.value(2, "strides"), c.value(3, "pad_mode")
    return c.add(
        "AveragePool",
        [c.tensor(0)],
        kernel_shape=list(kernel[-2:]),
        strides=list(strides[-2:]),
        count_include_pad=0,
        **_padding(mode),
    )


def _adaptive_avg_pool(c: Call) -> Value:
    size = c.value(1, "output_size")
    if tuple(size)[-2:] != (1, 1):
        raise c.unsupported(f"output size {size}")
    return c.add("GlobalAveragePool", [c.tensor(0)])


def _batch_norm(c: Call) -> Value:
    if c.value(5, "is_training", False):
        raise c.unsupported("is_training")
    y = c.build.add(
        "BatchNormalization",
        [c.tensor(i) for i in range(5)],
        epsilon=float(c.value(6, "epsilon", 1e-5)),
    )
    return (Ref(y, c.shape(0)),)


def _layer_norm(c: Call) -> Value:
    y = c.build.add(
        "LayerNormalization",
        [c.tensor(i) for i in range(3)],
        axis=int(c.value(3, "begin_norm_axis", -1)),
        epsilon=float(c.value(5, "epsilon", 1e-7)),
    )
    return (Ref(y, c.shape(0)),)


def _layer_norm_ext(c: Call) -> Value:
    y = c.build.add(
        "LayerNormalization",
        [c.tensor(0), c.tensor(2), c.tensor(3)],
        axis=-len(c.operands[1]),
        epsilon=float(c.value(4, "eps", 1e-5)),
    )
    return (Ref(y, c.shape(0)),)


def _bias_add(c: Call) -> Value:
    operand, bias = c.operands[0], c.tensor(1)
    producer = c.build.producers.get(operand.name) if isinstance(operand, Ref) else None
    # Convolutions and Gemm take their bias themselves.
    if (
        producer is not None
        and producer.op_type in ("Conv", "Gemm")
        and len(producer.input) == 2
        and c.build.consumers(operand.name) == 0
    ):
        producer.input.append(bias)
        return operand
    if c.rank(0) > 2:
        bias = c.build.add("Reshape", [bias, c.build.ints([-1] + [1] * (c.rank(0) - 2))])
    return c.add("Add", [c.tensor(0), bias])


def _mat_mul(c: Call) -> Value:
    first, second = bool(c.value(2, "transpose_a", False)), bool(c.value(3, "transpose_b", False))
    if c.rank(0) == 2 and c.rank(1) == 2 and isinstance(c.operands[1], Ref):
        return c.add("Gemm", [c.tensor(0), c.tensor(1)], transA=int(first), transB=int(second))
    sides = [
        _swapped(c, index) if flag else c.tensor(index) for index, flag in ((0, first), (1, second))
    ]
    return c.add("MatMul", sides)


def _swapped(c: Call, index: int) -> str:
    order = [*range(c.rank(index))]
    order[-2:] = order[-1], order[-2]
    return c.build.add("Transpose", [c.tensor(index)], perm=order)


def _dense(c: Call) -> Value:
    has_bias = len(c.operands) > 2 and c.operands[2] is not None
    product = c.build.add("MatMul", [c.tensor(0), _swapped(c, 1)])
    return c.add("Add", [product, c.tensor(2)]) if has_bias else Ref(product, c.node.shape)


def _reduce(op: str, axes_name: str = "axis") -> Converter:
    def convert(c: Call) -> Value:
        axes = c.value(1, axes_name)
        axes = [axes] if isinstance(axes, int) else list(axes or range(c.rank(0)))
        keep = int(bool(c.value(2, "keep_dims", False)))
        if op == "ReduceSum":
            return c.add(op, [c.tensor(0), c.build.ints(axes)], keepdims=keep)
        return c.add(op, [c.tensor(0)], axes=axes, keepdims=keep)

    return convert


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


def _reshape(c: Call) -> Value:
    target = list(c.operands[1])
    return c.add("Reshape", [c.tensor(0), c.build.shape_vector(target)])


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


def _strided_slice(c: Call) -> Value:
    if isinstance(c.operands[0], tuple):  # of a shape
        first, last, by = (_one(c.operands[i]) for i in (1, 2, 3))
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


def _one(value: Value) -> int:
    return int(value[0] if isinstance(value, tuple) else value)


def _axes(op: str) -> Converter:
    def convert(c: Call) -> Value:
        axes = c.value(1, "axis")
        axes = [axes] if isinstance(axes, int) else list(axes or ())
        return c.add(op, [c.tensor(0), c.build.ints(axes)] if axes else [c.tensor(0)])

    return convert


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


def _transpose(c: Call) -> Value:
    order = c.value(1, "perm")
    return c.add("Transpose", [c.tensor(0)], perm=[int(axis) for axis in order])


def _cast(c: Call) -> Value:
    target = c.value(1, "dst_type")
    number = {43: 1, 42: 10, 34: 6, 35: 7, 30: 9}.get(target)  # MindSpore's TypeId to ONNX
    if number is None:
        raise c.unsupported(f"target type {target}")
    operand = c.operands[0]
    if isinstance(operand, int | float):
        return DTYPES[number](operand).item()
    return c.add("Cast", [c.tensor(0)], to=number)


def _cum_sum(c: Call) -> Value:
    axis = np.array(c.value(1, "axis"), np.int64)
    exclusive, reverse = (
        int(bool(c.value(2 + i, n))) for i, n in enumerate(("exclusive", "reverse"))
    )
    return c.add(
        "CumSum", [c.tensor(0), c.build.constant(axis)], exclusive=exclusive, reverse=reverse
    )


def _gather(c: Call) -> Value:
    if isinstance(c.operands[0], tuple):
        return c.operands[0][int(c.operands[1])]
    return c.add("Gather", [c.tensor(0), c.tensor(1)], axis=int(c.value(2, "axis", 0)))


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


def _range(c: Call) -> Value:
    start, stop, step = c.operands[:3]
    if not any(isinstance(bound, Dim | Ref) for bound in (start, stop, step)):
        return np.arange(start, stop, step)
    scalars = [
        c.build.add("Squeeze", [b.name]) if isinstance(b, Dim) else c.named(b)
        for b in (start, stop, step)
    ]
    return c.add("Range", scalars)


def _clip(low: float, high: float) -> Converter:
    return lambda c: c.add("Clip", [c.tensor(0), c.named(low), c.named(high)])


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


CONVERTERS: Mapping[str, Converter] = {
    # structure
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
    # layers
    "Conv2D": _conv,
    "BatchNorm": _batch_norm,
    "LayerNorm": _layer_norm,
    "LayerNormExt": _layer_norm_ext,
    "BiasAdd": _bias_add,
    "MatMul": _mat_mul,
    "BatchMatMul": _mat_mul,
    "MatMulExt": _mat_mul,
    "Dense": _dense,
    "MaxPool": _max_pool,
    "AvgPool": _avg_pool,
    "AdaptiveAvgPool2D": _adaptive_avg_pool,
    "AdaptiveAvgPool2DExt": _adaptive_avg_pool,
    # element by element
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
    "ReLU": _simple("Relu"),
    "ReLU6": _clip(0.0, 6.0),
    "Sigmoid": _simple("Sigmoid"),
    "SiLU": _silu,
    "HSwish": _simple("HardSwish"),
    "HSigmoid": _simple("HardSigmoid", alpha=1 / 6, beta=0.5),
    "Tanh": _simple("Tanh"),
    "GeLU": _gelu,
    "Erf": _simple("Erf"),
    "Exp": _simple("Exp"),
    "Log": _simple("Log"),
    "Sqrt": _simple("Sqrt"),
    "Rsqrt": _rsqrt,
    "Square": lambda c: c.add("Mul", [c.tensor(0), c.tensor(0)]),
    "Neg": _simple("Neg"),
    "Abs": _simple("Abs"),
    "Floor": _simple("Floor"),
    "Reciprocal": _simple("Reciprocal"),
    "Softplus": _simple("Softplus"),
    "Softmax": lambda c: c.add("Softmax", [c.tensor(0)], axis=_one(c.value(1, "axis", -1))),
    "OnesLike": _filled(1.0),
    "ZerosLike": _filled(0.0),
    "OnesLikeExt": _filled(1.0),
    "Cast": _cast,
    # along axes
    "ReduceMean": _reduce("ReduceMean"),
    "MeanExt": _reduce("ReduceMean"),
    "ReduceSum": _reduce("ReduceSum"),
    "SumExt": _reduce("ReduceSum"),
    "ReduceMax": _reduce("ReduceMax"),
    "ReduceMin": _reduce("ReduceMin"),
    "CumSum": _cum_sum,
    # shapes
    "Range": _range,
    "ScalarToTensor": _first,
    "TensorToScalar": _first,
    "DepthToSpace": _depth_to_space,
    "Reshape": _reshape,
    "Flatten": _simple("Flatten"),
    "Transpose": _transpose,
    "ExpandDims": _axes("Unsqueeze"),
    "Squeeze": _axes("Squeeze"),
    "Concat": _concat,
    "Stack": _stack,
    "Unstack": _unstack,
    "Split": _split,
    "StridedSlice": _strided_slice,
    "Gather": _gather,
    "Tile": _tile,
    "BroadcastTo": _vector("Expand"),
    "Pad": _pad,
    "PadV3": _pad_v3,
    "ResizeNearestNeighbor": _resize_nearest,
    "ResizeNearestNeighborV2": _resize_nearest,
}
