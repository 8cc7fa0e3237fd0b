"""Borders added: of a number, mirrored, repeated, or taken from the other side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from zoohub.graphs.onnx_builder import Value
from zoohub.graphs.operators.call import Call, Converter
from zoohub.graphs.operators.parts import FAR, reversed_axis, slice_axis

Pairs = Sequence[tuple[int, int]]  # before and after, an axis
_MODES = {"constant": "constant", "reflect": "reflect", "edge": "edge", "replicate": "edge"}


def _padded(c: Call, pairs: Pairs, mode: str, value: Value = None) -> Value:
    if mode in ("circular", "symmetric"):
        return _from_slices(c, pairs, mode)
    if mode not in _MODES:
        raise c.unsupported(f"mode {mode}")
    pads = [before for before, _ in pairs] + [after for _, after in pairs]
    inputs = [c.tensor(0), c.build.ints(pads)]
    if mode == "constant" and value is not None:
        number = np.asarray(value) if not isinstance(value, str) else value
        inputs.append(
            c.build.constant(number.astype(c.dtype(0)).reshape(()))
            if isinstance(number, np.ndarray) and number.dtype != object
            else c.named(value)
        )
    if mode == "constant":
        return c.add("Pad", inputs)
    return c.add("Pad", inputs, mode=_MODES[mode])


def _from_slices(c: Call, pairs: Pairs, mode: str) -> Value:
    """Borders that ONNX's Pad lacks: of the other side, or mirrored with the edge itself."""
    x = c.tensor(0)
    for axis, (before, after) in enumerate(pairs):
        first = (-before, FAR) if mode == "circular" else (0, before)
        last = (0, after) if mode == "circular" else (-after, FAR)
        parts = []
        for count, bounds in ((before, first), (after, last)):
            part = slice_axis(c, x, axis, *bounds) if count else ""
            mirrored = part and mode == "symmetric"
            parts.append(reversed_axis(c, part, axis) if mirrored else part)
        if before or after:
            x = c.build.add("Concat", [p for p in (parts[0], x, parts[1]) if p], axis=axis)
    return c.result(x)


def _last_first(c: Call, flat: Sequence[int]) -> Pairs:
    """Pairs of the last axis first, for as many axes as there are pairs."""
    pairs = [(int(flat[i]), int(flat[i + 1])) for i in range(0, len(flat), 2)][::-1]
    return [(0, 0)] * (c.rank(0) - len(pairs)) + pairs


def _numbers(c: Call, index: int) -> list[int]:
    value = c.operands[index]
    if isinstance(value, tuple):
        if not all(isinstance(n, int) for n in value):
            raise c.unsupported("borders computed at run time")
        return [int(n) for n in value]
    if isinstance(value, np.ndarray):
        return [int(n) for n in value.reshape(-1)]
    raise c.unsupported("borders computed at run time")


def _pad(c: Call) -> Value:
    return _padded(c, [(int(a), int(b)) for a, b in c.attribute("paddings")], "constant")


def _pad_v3(c: Call) -> Value:
    flat = _numbers(c, 1)
    if not c.attribute("paddings_contiguous", True):
        half = len(flat) // 2
        flat = [n for pair in zip(flat[:half], flat[half:], strict=True) for n in pair]
    value = c.operands[2] if c.given(2) else 0.0
    return _padded(c, _last_first(c, flat), str(c.attribute("mode", "constant")), value)


def _mirror(c: Call) -> Value:
    flat = _numbers(c, 1)
    pairs = [(flat[i], flat[i + 1]) for i in range(0, len(flat), 2)]
    return _padded(c, pairs, str(c.attribute("mode", "REFLECT")).lower())


def _around(mode: str) -> Converter:
    """(x, borders of the last axis first)"""
    return lambda c: _padded(
        c, _last_first(c, _numbers(c, 1)), mode, c.operands[2] if c.given(2) else None
    )


PADDING: Mapping[str, Converter] = {
    "Pad": _pad,
    "PadV3": _pad_v3,
    "MirrorPad": _mirror,
    "ConstantPadND": _around("constant"),
    **{f"ReflectionPad{n}D": _around("reflect") for n in (1, 2, 3)},
    **{f"ReplicationPad{n}D": _around("edge") for n in (1, 2, 3)},
}
