"""One MindSpore operator being converted: its operands, its settings, and what is built for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from zoohub.errors import ExportError
from zoohub.graphs.graph import Node
from zoohub.graphs.onnx_builder import ONNX_TYPES, Dim, OnnxBuilder, Ref, Value


class Unsupported(ExportError):
    """An operator, or a form of one, that the ONNX conversion lacks."""


@dataclass(frozen=True, slots=True)
class Call:
    """One operator being converted."""

    build: OnnxBuilder
    node: Node
    operands: tuple[Value, ...]

    def given(self, index: int) -> bool:
        """Whether there is such an operand, and it is not None."""
        return index < len(self.operands) and self.operands[index] is not None

    def tensor(self, index: int, dtype: str | None = None) -> str:
        """An operand's name as a tensor; constants become initialisers, of `dtype` if given."""
        return self.named(self.operands[index], dtype)

    def named(self, value: Value, dtype: str | None = None) -> str:
        """The name of any value as a tensor; a constant has `dtype` if given."""
        if isinstance(value, Ref):
            return value.name
        if isinstance(value, Dim):
            if dtype in (None, "int64"):
                return value.name
            return self.build.add("Cast", [value.name], to=ONNX_TYPES[dtype or "int64"])
        if isinstance(value, bool | int | float | np.ndarray):
            natural = {bool: "bool", int: "int64", float: "float32"}.get(type(value))
            return self.build.constant(np.asarray(value, dtype or natural))
        if isinstance(value, tuple) and all(isinstance(item, int | float) for item in value):
            return self.build.constant(np.asarray(value, dtype))
        raise self.unsupported(f"an operand {type(value).__name__}")

    def shape(self, index: int = 0) -> tuple[int | None, ...]:
        """The shape of an operand."""
        value = self.operands[index]
        if isinstance(value, Ref):
            shape = value.shape or self.build.infer([value.name]).get(value.name, value.shape)
            if shape is not None:
                return shape
        if isinstance(value, np.ndarray):
            return tuple(value.shape)
        raise self.unsupported("an operand of unknown rank")

    def dtype(self, index: int = 0) -> str:
        """NumPy's name of an operand's element type; float32 where it is not known."""
        value = self.operands[index]
        if isinstance(value, Ref):
            return value.dtype or "float32"
        if isinstance(value, Dim):
            return "int64"
        return np.asarray(value).dtype.name

    def rank(self, index: int = 0) -> int:
        """The number of an operand's dimensions."""
        return len(self.shape(index))

    def sizes(self, index: int = 0) -> tuple[Value, ...]:
        """An operand's dimensions, those unknown read at run time."""
        shape = self.shape(index)
        if None not in shape:
            return shape
        vector = self.build.add("Shape", [self.tensor(index)])
        return tuple(
            Dim(self.build.add("Gather", [vector, self.build.ints([i])], axis=0))
            if size is None
            else size
            for i, size in enumerate(shape)
        )

    def value(self, index: int, attribute: str, default: Value = None) -> Value:
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

    def flag(self, index: int, attribute: str, default: bool = False) -> bool:
        """A setting that is true or false."""
        return bool(self.value(index, attribute, default))

    def axis(self, index: int, attribute: str, default: int = 0) -> int:
        """An axis, from 0."""
        axis = one(self.value(index, attribute, default))
        return axis % self.rank(0) if axis < 0 else axis

    def attribute(self, name: str, default: Value = None) -> Value:
        """A setting that is always an attribute."""
        return self.node.attributes.get(name, default)

    def add(self, op: str, inputs: Sequence[str], **attributes: Value) -> Ref:
        """The operator's last node."""
        return self.result(self.build.add(op, inputs, **attributes))

    def result(self, name: str) -> Ref:
        """The operator's output under the name it has in the ONNX graph."""
        return Ref(name, self.node.shape, self.node.dtype)

    def results(self, *names: str) -> tuple[Ref, ...]:
        """Several outputs."""
        parts = self.node.parts
        known = [parts[i] if i < len(parts) else (None, None) for i in range(len(names))]
        return tuple(Ref(name, *part) for name, part in zip(names, known, strict=True))

    def cast(self, name: str, dtype: str | None) -> str:
        """A tensor in another element type."""
        return self.build.add("Cast", [name], to=ONNX_TYPES[dtype or "float32"])

    def unsupported(self, what: str) -> Unsupported:
        """The error for a form that is not converted."""
        return Unsupported(
            f"the ONNX conversion cannot write MindSpore's {self.node.op} with {what}"
        )


Converter = Callable[[Call], Value]


def simple(op: str, **attributes: object) -> Converter:
    """An operator of one operand that ONNX has too."""
    return lambda c: c.add(op, [c.tensor(0)], **attributes)


def one(value: Value) -> int:
    """A number that may be given as a tuple of one."""
    return int(value[0] if isinstance(value, tuple | list) else value)
