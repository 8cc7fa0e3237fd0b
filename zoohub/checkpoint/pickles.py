"""A pickle reader that can build tensor descriptions and plain data, and nothing else.

Python's own unpickler calls whatever a pickle names; this one interprets the opcodes itself and
has no way to import or call anything. The few names PyTorch writes for a dict of tensors are
known symbols with a meaning here; any other name is refused. Memory and time are bounded by the
pickle's size: no instruction copies more than the bytes before it put there, and their number is
limited.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Protocol, TypeVar

from zoohub.checkpoint.torch_objects import (
    KNOWN,
    ORDERED_DICT,
    PARAMETER,
    SIZE,
    STORAGES,
    TENSORS,
    Storage,
    Symbol,
    TensorRef,
    count,
    counts,
    tensor,
    text,
)
from zoohub.core.counting import counted

T = TypeVar("T")


class Refused(ValueError):
    """The pickle is damaged or asks for something that is not data; `position` is in bytes."""

    def __init__(self, position: int, found: str) -> None:
        super().__init__(found)
        self.position = position


_MARK = Symbol("(mark)")
_STOP = ord(".")
_SCALARS = (str, int, float, bool, bytes, type(None))
_MAX_PICKLE = 1 << 26
# A tensor takes some 40 of them, and an instruction at most some 100 bytes of memory.
_MAX_INSTRUCTIONS = 4_000_000


class Readable(Protocol):
    """What holds the pickle: bytes, a map, or a file read in pages."""

    def __getitem__(self, key: slice, /) -> bytes | bytearray: ...


def read_pickle(data: bytes) -> object:
    """The pickled object as dicts, lists, tuples, scalars and `TensorRef`.

    Raises:
        Refused: the pickle is malformed, or names anything but PyTorch's tensors.
    """
    return _Machine(data, 0, len(data), {}).run()


def read_pickle_at(
    data: Readable, start: int, end: int, storages: dict[str, Storage]
) -> tuple[object, int]:
    """The pickled object that begins at `start`, and the offset behind it.

    `storages` collects those the pickle refers to, by key.

    Raises:
        Refused: as `read_pickle`.
    """
    machine = _Machine(data, start, min(end, start + _MAX_PICKLE), storages)
    return machine.run(), machine.at


class _Machine:
    """The pickle virtual machine, protocols 2 to 4, without objects."""

    def __init__(self, data: Readable, start: int, end: int, storages: dict[str, Storage]) -> None:
        self.data = data
        self.at = start
        self.end = end
        self.storages = storages
        self.stack: list[object] = []
        self.memo: dict[int, object] = {}

    def run(self) -> object:
        for _ in range(_MAX_INSTRUCTIONS):
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
        raise Refused(self.at, f"a pickle of more than {_MAX_INSTRUCTIONS} instructions")

    # Reading operands

    def take(self, size: int) -> bytes:
        if size > self.end - self.at:
            raise Refused(self.at, f"the pickle's end, {counted(size, 'more byte')} expected")
        self.at += size
        return bytes(self.data[self.at - size : self.at])

    def number(self, form: str) -> int:
        number: int = struct.unpack(form, self.take(struct.calcsize(form)))[0]
        return number

    def real(self) -> float:
        number: float = struct.unpack(">d", self.take(8))[0]
        return number

    def line(self) -> str:
        length = self.data[self.at : min(self.at + 256, self.end)].find(b"\n")
        if length < 0:
            raise Refused(self.at, "a name without an end")
        text = self.take(length).decode("ascii")
        self.at += 1
        return text

    # The stack

    def push(self, value: object) -> None:
        self.stack.append(value)

    def pop(self) -> object:
        value = self.stack.pop()
        if value is _MARK:
            raise Refused(self.at, "a mark where a value should be")
        return value

    def top(self, kind: type[T]) -> T:
        value = self.stack[-1]
        if not isinstance(value, kind):
            raise Refused(self.at, f"a {type(value).__name__} where a {kind.__name__} should be")
        return value

    def pop_mark(self) -> list[object]:
        for index in range(len(self.stack) - 1, -1, -1):
            if self.stack[index] is _MARK:
                items = self.stack[index + 1 :]
                del self.stack[index:]
                return items
        raise Refused(self.at, "no mark to go back to")

    # Instructions that need more than a line

    def symbol(self, module: str, name: str) -> None:
        full = f"{module}.{name}"
        if full not in KNOWN:
            raise Refused(
                self.at, f"a pickle that asks for {full!r}: only tensors are read, nothing was run"
            )
        self.push(Symbol(full))

    def stack_global(self) -> None:
        name, module = self.pop(), self.pop()
        self.symbol(text(module), text(name))

    def store(self, target: dict[object, object], items: list[object]) -> None:
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
        found = self.pop()
        if not isinstance(found, tuple | list):
            raise Refused(self.at, "a reference to something that is no tensor storage")
        kind, storage, key, _device, elements, *view = found
        if kind != "storage" or not isinstance(storage, Symbol) or storage.name not in STORAGES:
            raise Refused(self.at, "a reference to something that is no tensor storage")
        if view and view != [None]:  # PyTorch before 0.4 had views of storages
            raise Refused(self.at, "a view of a storage, which no file of weights needs")
        stored = Storage(text(key), STORAGES[storage.name], count(elements))
        if self.storages.setdefault(stored.key, stored) != stored:
            raise Refused(self.at, f"two storages of the name {stored.key[:40]!r}")
        self.push(stored)

    def call(self) -> None:
        arguments, function = self.pop(), self.pop()
        if not isinstance(function, Symbol) or not isinstance(arguments, tuple):
            raise Refused(self.at, "a call of something that is no function")
        name = function.name
        if name == ORDERED_DICT and not arguments:
            self.push({})
        elif name == SIZE and len(arguments) == 1:
            self.push(counts(arguments[0]))
        elif name == PARAMETER and isinstance(arguments[0], TensorRef):
            self.push(arguments[0])
        elif name in TENSORS:
            self.push(tensor(TENSORS[name], arguments))
        else:
            raise Refused(self.at, f"a call of {name} with {counted(len(arguments), 'argument')}")


def _long(data: bytes) -> int:
    if len(data) > 16:
        raise ValueError(f"a number of {len(data)} bytes")
    return int.from_bytes(data, "little", signed=True)


_ACTIONS: dict[int, Callable[[_Machine], object]] = {
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
    ord("G"): lambda m: m.push(m.real()),
    ord("X"): lambda m: m.push(m.take(m.number("<I")).decode("utf-8")),
    0x8C: lambda m: m.push(m.take(m.number("<B")).decode("utf-8")),
    0x8D: lambda m: m.push(m.take(m.number("<Q")).decode("utf-8")),
    # Python 2's texts
    ord("U"): lambda m: m.push(m.take(m.number("<B")).decode("utf-8")),
    ord("T"): lambda m: m.push(m.take(m.number("<I")).decode("utf-8")),
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


def _append(machine: _Machine, items: list[object]) -> None:
    machine.top(list).extend(items)


def _protocol(version: int) -> None:
    if not 2 <= version <= 5:
        raise ValueError(f"protocol {version}")
