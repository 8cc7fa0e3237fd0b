"""A pickle reader that can build tensor descriptions and plain data, and nothing else.

Python's own unpickler calls whatever a pickle names; this one interprets the opcodes itself and
has no way to import or call anything. The few names PyTorch writes for a dict of tensors are
known symbols with a meaning here; any other name is refused. Memory and time are bounded by the
pickle's size.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from zoohub.checkpoint.dtypes import TYPES, plausible_shape


class Refused(ValueError):
    """The pickle is damaged or asks for something that is not data; `position` is in bytes."""

    def __init__(self, position: int, found: str) -> None:
        super().__init__(found)
        self.position = position


@dataclass(frozen=True, slots=True)
class Symbol:
    """A name the pickle refers to, such as `torch._utils._rebuild_tensor_v2`; never imported."""

    name: str


@dataclass(frozen=True, slots=True)
class Storage:
    """A tensor's memory: the archive member `data/<key>` with `count` elements of `dtype`."""

    key: str
    dtype: str
    count: int


@dataclass(frozen=True, slots=True)
class TensorRef:
    """A tensor as the pickle describes it; offset and strides in elements."""

    storage: Storage
    dtype: str
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


# torch.uint16 and its like have no storage class of their own: they come with an untyped storage.
_STORAGES = {f"torch.{t.torch}": t.name for t in TYPES.values() if t.torch}
_STORAGES["torch.storage.UntypedStorage"] = "uint8"
_ELEMENTS = {f"torch.{t.name}": t.name for t in TYPES.values() if t.name != "int4x2"}
_ORDERED_DICT = "collections.OrderedDict"
_TENSORS = {"torch._utils._rebuild_tensor_v2": 2, "torch._utils._rebuild_tensor_v3": 3}
_PARAMETER = "torch._utils._rebuild_parameter"
_SIZE = "torch.Size"
_KNOWN = {*_STORAGES, *_ELEMENTS, *_TENSORS, _ORDERED_DICT, _PARAMETER, _SIZE}
_MARK = Symbol("(mark)")
_STOP = ord(".")
_SCALARS = (str, int, float, bool, bytes, type(None))


def read_pickle(data: bytes) -> Any:
    """The pickled object as dicts, lists, tuples, scalars and `TensorRef`.

    Raises:
        Refused: the pickle is malformed, or names anything but PyTorch's tensors.
    """
    return _Machine(data).run()


class _Machine:
    """The pickle virtual machine, protocols 2 to 4, without objects."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def run(self) -> Any:
        while True:
            start = self.at
            opcode = self.take(1)[0]
            action = _ACTIONS.get(opcode)
            if action is None:
                raise Refused(
                    start, f"the pickle instruction {opcode:#04x}, which weights never need"
                )
            try:
                action(self)
                if opcode == _STOP:
                    return self.pop()
            except Refused:
                raise
            except (ValueError, TypeError, KeyError, IndexError, struct.error) as error:
                raise Refused(start, f"a malformed pickle ({error})") from None

    # Reading operands

    def take(self, size: int) -> bytes:
        if size > len(self.data) - self.at:
            raise Refused(self.at, f"the pickle's end, {size} more bytes expected")
        self.at += size
        return self.data[self.at - size : self.at]

    def number(self, form: str) -> Any:
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def line(self) -> str:
        end = self.data.find(b"\n", self.at, self.at + 256)
        if end < 0:
            raise Refused(self.at, "a name without an end")
        text = self.take(end - self.at).decode("ascii")
        self.at += 1
        return text

    # The stack

    def push(self, value: Any) -> None:
        self.stack.append(value)

    def pop(self) -> Any:
        value = self.stack.pop()
        if value is _MARK:
            raise Refused(self.at, "a mark where a value should be")
        return value

    def top(self, kind: type) -> Any:
        value = self.stack[-1]
        if not isinstance(value, kind):
            raise Refused(self.at, f"a {type(value).__name__} where a {kind.__name__} should be")
        return value

    def pop_mark(self) -> list[Any]:
        for index in range(len(self.stack) - 1, -1, -1):
            if self.stack[index] is _MARK:
                items = self.stack[index + 1 :]
                del self.stack[index:]
                return items
        raise Refused(self.at, "no mark to go back to")

    # Instructions that need more than a line

    def symbol(self, module: str, name: str) -> None:
        full = f"{module}.{name}"
        if full not in _KNOWN:
            raise Refused(
                self.at, f"a pickle that asks for {full!r}: only tensors are read, nothing was run"
            )
        self.push(Symbol(full))

    def stack_global(self) -> None:
        name, module = self.pop(), self.pop()
        self.symbol(_text(module), _text(name))

    def store(self, target: dict[Any, Any], items: list[Any]) -> None:
        if len(items) % 2:
            raise Refused(self.at, "a key without a value")
        for key, value in zip(items[::2], items[1::2], strict=True):
            # Nested tuples as keys can take forever to hash.
            if not isinstance(key, _SCALARS):
                raise Refused(self.at, f"a {type(key).__name__} as a key")
            target[key] = value

    def set_item(self) -> None:
        value, key = self.pop(), self.pop()
        self.store(self.top(dict), [key, value])

    def set_items(self) -> None:
        items = self.pop_mark()
        self.store(self.top(dict), items)

    def tuple_of(self, count: int) -> None:
        items = [self.pop() for _ in range(count)]
        self.push(tuple(reversed(items)))

    def build(self) -> None:
        """State of an OrderedDict (PyTorch's `_metadata`): no weights in it."""
        self.pop()
        self.top(dict)

    def persistent(self) -> None:
        kind, storage, key, _device, count = self.pop()
        if kind != "storage" or not isinstance(storage, Symbol) or storage.name not in _STORAGES:
            raise Refused(self.at, "a reference to something that is no tensor storage")
        self.push(Storage(_text(key), _STORAGES[storage.name], _count(count)))

    def call(self) -> None:
        arguments, function = self.pop(), self.pop()
        if not isinstance(function, Symbol) or not isinstance(arguments, tuple):
            raise Refused(self.at, "a call of something that is no function")
        name = function.name
        if name == _ORDERED_DICT and not arguments:
            self.push({})
        elif name == _SIZE and len(arguments) == 1:
            self.push(tuple(arguments[0]))
        elif name == _PARAMETER and isinstance(arguments[0], TensorRef):
            self.push(arguments[0])
        elif name in _TENSORS:
            self.push(_tensor(_TENSORS[name], arguments))
        else:
            raise Refused(self.at, f"a call of {name} with {len(arguments)} arguments")


def _tensor(version: int, arguments: tuple[Any, ...]) -> TensorRef:
    storage, offset, shape, strides = arguments[:4]
    if not isinstance(storage, Storage):
        raise ValueError("a tensor without a storage")
    dtype = storage.dtype
    if version == 3:
        if not isinstance(arguments[6], Symbol):
            raise ValueError("a tensor without an element type")
        dtype = _ELEMENTS[arguments[6].name]
    sizes = tuple(_count(n) for n in shape)
    steps = tuple(_count(n) for n in strides)
    if len(sizes) != len(steps) or not plausible_shape(sizes):
        raise ValueError(f"{len(sizes)} dimensions with {len(steps)} strides")
    return TensorRef(storage, dtype, _count(offset), sizes, steps)


def _count(value: Any) -> int:
    # No value is ever put into a message: nested tuples can take forever to print.
    if type(value) is not int or not 0 <= value < 1 << 48:
        raise ValueError("no sensible number where a count should be")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"a {type(value).__name__} where a text should be")
    return value


def _long(data: bytes) -> int:
    if len(data) > 16:
        raise ValueError(f"a number of {len(data)} bytes")
    return int.from_bytes(data, "little", signed=True)


_ACTIONS: dict[int, Callable[[_Machine], Any]] = {
    0x80: lambda m: _protocol(m.number("<B")),
    0x95: lambda m: m.take(8),  # FRAME: a hint only
    _STOP: lambda m: None,
    # Constants
    ord("N"): lambda m: m.push(None),
    0x88: lambda m: m.push(True),
    0x89: lambda m: m.push(False),
    ord("J"): lambda m: m.push(m.number("<i")),
    ord("K"): lambda m: m.push(m.number("<B")),
    ord("M"): lambda m: m.push(m.number("<H")),
    0x8A: lambda m: m.push(_long(m.take(m.number("<B")))),
    ord("G"): lambda m: m.push(m.number(">d")),
    ord("X"): lambda m: m.push(m.take(m.number("<I")).decode("utf-8")),
    0x8C: lambda m: m.push(m.take(m.number("<B")).decode("utf-8")),
    0x8D: lambda m: m.push(m.take(m.number("<Q")).decode("utf-8")),
    ord("C"): lambda m: m.push(m.take(m.number("<B"))),
    ord("B"): lambda m: m.push(m.take(m.number("<I"))),
    # Containers
    ord("("): lambda m: m.push(_MARK),
    ord(")"): lambda m: m.push(()),
    ord("]"): lambda m: m.push([]),
    ord("}"): lambda m: m.push({}),
    0x85: lambda m: m.tuple_of(1),
    0x86: lambda m: m.tuple_of(2),
    0x87: lambda m: m.tuple_of(3),
    ord("t"): lambda m: m.push(tuple(m.pop_mark())),
    ord("a"): lambda m: _append(m, [m.pop()]),
    ord("e"): lambda m: _append(m, m.pop_mark()),
    ord("s"): lambda m: m.set_item(),
    ord("u"): lambda m: m.set_items(),
    ord("0"): lambda m: m.pop(),
    # The memo
    ord("q"): lambda m: m.memo.__setitem__(m.number("<B"), m.stack[-1]),
    ord("r"): lambda m: m.memo.__setitem__(m.number("<I"), m.stack[-1]),
    0x94: lambda m: m.memo.__setitem__(len(m.memo), m.stack[-1]),
    ord("h"): lambda m: m.push(m.memo[m.number("<B")]),
    ord("j"): lambda m: m.push(m.memo[m.number("<I")]),
    # Names, calls and storages
    ord("c"): lambda m: m.symbol(m.line(), m.line()),
    0x93: lambda m: m.stack_global(),
    ord("R"): lambda m: m.call(),
    0x81: lambda m: m.call(),
    ord("b"): lambda m: m.build(),
    ord("Q"): lambda m: m.persistent(),
}


def _append(machine: _Machine, items: list[Any]) -> None:
    machine.top(list).extend(items)


def _protocol(version: int) -> None:
    if not 2 <= version <= 5:
        raise ValueError(f"protocol {version}")
