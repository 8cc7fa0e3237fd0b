"""Poolings, adaptive ones too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from zoohub.graphs.onnx_builder import Value
from zoohub.graphs.operators.call import Call, Converter
from zoohub.graphs.operators.convolutions import padding


def _numbers(value: object, axes: int) -> list[int]:
    """Settings for the last `axes` axes, given as one number or as many."""
    if isinstance(value, int):
        return [value] * axes
    assert isinstance(value, Sequence)
    numbers = [int(n) for n in value]
    return numbers * axes if len(numbers) == 1 else numbers[-axes:]


def _pool(op: str) -> Converter:
    """By attributes; the first operand may be followed by the same settings."""

    def convert(c: Call) -> Value:
        axes = c.rank(0) - 2
        settings = {
            "kernel_shape": _numbers(c.value(1, "kernel_size"), axes),
            "strides": _numbers(c.value(2, "strides"), axes),
            "ceil_mode": int(bool(c.attribute("ceil_mode", False))),
        }
        settings |= padding(c.value(3, "pad_mode"), c.attribute("pad_list"))
        if op == "AveragePool":
            counted = settings.get("pads") and c.attribute("count_include_pad", False)
            settings["count_include_pad"] = int(bool(counted))
            if c.attribute("divisor_override", 0):
                raise c.unsupported("a divisor of its own")
        return c.add(op, [c.tensor(0)], **settings)

    return convert


def _pool_with_operands(op: str) -> Converter:
    """(x, kernel, stride, padding, …)"""

    def convert(c: Call) -> Value:
        axes = c.rank(0) - 2
        kernel = _numbers(c.value(1, "kernel_size"), axes)
        stride = c.value(2, "strides") or kernel
        pads = _numbers(c.value(3, "pads") or 0, axes)
        settings: dict[str, object] = {
            "kernel_shape": kernel,
            "strides": _numbers(stride, axes),
            "pads": [*pads, *pads],
        }
        if op == "AveragePool":
            if c.given(6):
                raise c.unsupported("a divisor of its own")
            settings["ceil_mode"] = int(c.flag(4, "ceil_mode"))
            settings["count_include_pad"] = int(c.flag(5, "count_include_pad", True))
            return c.add(op, [c.tensor(0)], **settings)
        settings["dilations"] = _numbers(c.value(4, "dilation") or 1, axes)
        settings["ceil_mode"] = int(c.flag(5, "ceil_mode"))
        return (c.add(op, [c.tensor(0)], **settings),)

    return convert


def _adaptive_sizes(c: Call) -> list[int | None]:
    """What is asked for each axis; None: as many as there are."""
    wanted = c.value(1, "output_size")
    axes = c.rank(0) - 2
    sizes = [wanted] * axes if isinstance(wanted, int) else list(wanted)[-axes:]
    return [None if n is None or n == -1 else int(n) for n in sizes]


def _adaptive_avg_pool(c: Call) -> Value:
    wanted, given = _adaptive_sizes(c), c.shape(0)[2:]
    if all(n == 1 for n in wanted):
        return c.add("GlobalAveragePool", [c.tensor(0)])
    if len(wanted) != 2:
        raise c.unsupported(f"output size {wanted}")
    x = c.tensor(0)
    for axis, (target, size) in enumerate(zip(wanted, given, strict=True)):
        if target is None or target == size:
            continue
        if size is None:
            raise c.unsupported(f"output size {wanted} for an input of any size")
        means = c.build.constant(_means(size, target))
        if axis == 0:
            x = c.build.add("MatMul", [means, x])
        else:
            x = c.build.add("MatMul", [x, c.build.add("Transpose", [means], perm=[1, 0])])
    return c.result(x)


def _means(size: int, target: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """(target, size): row i averages the i-th of `target` parts of an axis, which may overlap."""
    rows = np.zeros((target, size), np.float32)
    for i in range(target):
        first, last = i * size // target, -(-(i + 1) * size // target)
        rows[i, first:last] = 1 / (last - first)
    return rows


def _adaptive_max_pool(c: Call) -> Value:
    wanted, given = _adaptive_sizes(c), c.shape(0)[2:]
    if all(n == 1 for n in wanted):
        found = c.add("GlobalMaxPool", [c.tensor(0)])
    else:
        steps = [
            s // t if s and t and s % t == 0 else None for s, t in zip(given, wanted, strict=True)
        ]
        if None in steps:
            raise c.unsupported(f"output size {wanted} for an input of {given}")
        found = c.add("MaxPool", [c.tensor(0)], kernel_shape=steps, strides=steps)
    return (found,) if len(c.node.parts) > 1 else found


def _max_pool_with_places(c: Call) -> Value:
    axes = c.rank(0) - 2
    pads = _numbers(c.attribute("pads", 0), axes)
    found = c.add(
        "MaxPool",
        [c.tensor(0)],
        kernel_shape=_numbers(c.attribute("kernel_size", c.attribute("ksize")), axes),
        strides=_numbers(c.attribute("strides"), axes),
        pads=[*pads, *pads],
        dilations=_numbers(c.attribute("dilation", 1), axes),
        ceil_mode=int(bool(c.attribute("ceil_mode", False))),
    )
    return (found,)


POOLING: Mapping[str, Converter] = {
    "MaxPool": _pool("MaxPool"),
    "MaxPool3D": _pool("MaxPool"),
    "AvgPool": _pool("AveragePool"),
    "AvgPool3D": _pool("AveragePool"),
    "AvgPool1D": _pool_with_operands("AveragePool"),
    "AvgPool2D": _pool_with_operands("AveragePool"),
    "AvgPool3DExt": _pool_with_operands("AveragePool"),
    "MaxPoolWithIndices": _pool_with_operands("MaxPool"),
    "MaxPoolWithMask": _pool_with_operands("MaxPool"),
    "MaxPoolWithArgmaxV2": _max_pool_with_places,
    "MaxPool3DWithArgmax": _max_pool_with_places,
    "AdaptiveAvgPool2D": _adaptive_avg_pool,
    "AdaptiveAvgPool2DExt": _adaptive_avg_pool,
    "AdaptiveAvgPool1D": _adaptive_avg_pool,
    "AdaptiveMaxPool2D": _adaptive_max_pool,
    "AdaptiveMaxPool1D": _adaptive_max_pool,
}
