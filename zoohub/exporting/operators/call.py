"""One MindSpore operator being converted: its operands, its settings, and what is built for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from zoohub.errors import ExportError
from zoohub.exporting.graph import Node
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


def simple(op: str, **attributes: Any) -> Converter:
    """An operator of one operand that ONNX has too."""
    return lambda c: c.add(op, [c.tensor(0)], **attributes)


def one(value: Value) -> int:
    """A number that may be given as a tuple of one."""
    return int(value[0] if isinstance(value, tuple) else value)
