"""What PyTorch writes into its pickles: names that stand for something, and what they make."""

from __future__ import annotations

from dataclasses import dataclass

from zoohub.checkpoint.dtypes import TYPES, plausible_shape
from zoohub.core.counting import counted

_MAX_DIMENSIONS = 64


@dataclass(frozen=True, slots=True)
class Symbol:
    """A name the pickle refers to, such as `torch._utils._rebuild_tensor_v2`; never imported."""

    name: str


@dataclass(frozen=True, slots=True)
class Storage:
    """A tensor's memory: what the file keeps under `key`, `count` elements of `dtype`."""

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
STORAGES = {f"torch.{t.torch}": t.name for t in TYPES.values() if t.torch}
STORAGES["torch.storage.UntypedStorage"] = "uint8"
_ELEMENTS = {f"torch.{t.name}": t.name for t in TYPES.values() if t.name != "int4x2"}
ORDERED_DICT = "collections.OrderedDict"
TENSORS = {
    "torch._utils._rebuild_tensor": 1,
    "torch._utils._rebuild_tensor_v2": 2,
    "torch._utils._rebuild_tensor_v3": 3,
}
PARAMETER = "torch._utils._rebuild_parameter"
SIZE = "torch.Size"
KNOWN = {*STORAGES, *_ELEMENTS, *TENSORS, ORDERED_DICT, PARAMETER, SIZE}


def tensor(version: int, arguments: tuple[object, ...]) -> TensorRef:
    """What PyTorch's function of that version would make of its arguments."""
    storage, offset, shape, strides = arguments[:4]
    if not isinstance(storage, Storage):
        raise ValueError("a tensor without a storage")
    dtype = storage.dtype
    if version == 3:
        if not isinstance(arguments[6], Symbol):
            raise ValueError("a tensor without an element type")
        dtype = _ELEMENTS[arguments[6].name]
    sizes, steps = counts(shape), counts(strides)
    if len(sizes) != len(steps) or not plausible_shape(sizes):
        raise ValueError(f"{counted(len(sizes), 'dimension')} with {counted(len(steps), 'stride')}")
    return TensorRef(storage, dtype, count(offset), sizes, steps)


def counts(values: object) -> tuple[int, ...]:
    """A shape. A few bytes can name a list of millions again, so its length comes first."""
    if not isinstance(values, list | tuple) or len(values) > _MAX_DIMENSIONS:
        raise ValueError("no sensible shape")
    return tuple(count(n) for n in values)


def count(value: object) -> int:
    """A number of elements, or of bytes."""
    # No value is ever put into a message: nested tuples can take forever to print.
    if type(value) is not int or not 0 <= value < 1 << 48:
        raise ValueError("no sensible number where a count should be")
    return value


def text(value: object) -> str:
    """The value, if it is a text."""
    if not isinstance(value, str):
        raise ValueError(f"a {type(value).__name__} where a text should be")
    return value
