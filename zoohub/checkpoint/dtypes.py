"""Element types: one name each, and how every format and numpy spell it.

numpy has no bfloat16. Its bits are held as uint16 (`storage`), and values are widened to float32,
which is exact; so zoohub needs no further package for it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class ElementType:
    """One element type.

    `storage` is the little-endian numpy type that holds its bits; `ckpt`, `safetensors` and
    `torch` are its spellings in the formats, None where the format lacks it.
    """

    name: str
    storage: np.dtype[np.generic]
    ckpt: str | None
    safetensors: str | None
    torch: str | None

    @property
    def size(self) -> int:
        """Bytes of one element."""
        return int(self.storage.itemsize)


def _type(name: str, storage: str, *spellings: str | None) -> ElementType:
    ckpt, safetensors, torch = spellings
    return ElementType(name, np.dtype(storage), ckpt, safetensors, torch)


TYPES: dict[str, ElementType] = {
    t.name: t
    for t in (
        _type("bool", "?", "Bool", "BOOL", "BoolStorage"),
        _type("int8", "i1", "Int8", "I8", "CharStorage"),
        _type("int16", "<i2", "Int16", "I16", "ShortStorage"),
        _type("int32", "<i4", "Int32", "I32", "IntStorage"),
        _type("int64", "<i8", "Int64", "I64", "LongStorage"),
        _type("uint8", "u1", "UInt8", "U8", "ByteStorage"),
        _type("uint16", "<u2", "UInt16", "U16", None),
        _type("uint32", "<u4", "UInt32", "U32", None),
        _type("uint64", "<u8", "UInt64", "U64", None),
        _type("float16", "<f2", "Float16", "F16", "HalfStorage"),
        _type("bfloat16", "<u2", "BFloat16", "BF16", "BFloat16Storage"),
        _type("float32", "<f4", "Float32", "F32", "FloatStorage"),
        _type("float64", "<f8", "Float64", "F64", "DoubleStorage"),
        _type("complex64", "<c8", "Complex64", "C64", "ComplexFloatStorage"),
        _type("complex128", "<c16", "Complex128", None, "ComplexDoubleStorage"),
        # MindSpore's packed pairs of 4-bit integers: one byte holds two, shapes count bytes.
        _type("int4x2", "i1", "Int4", None, None),
    )
}

FLOATS = frozenset({"float16", "bfloat16", "float32", "float64"})
INTEGERS = frozenset({"int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"})


def type_of(array: npt.NDArray[np.generic]) -> ElementType:
    """The element type of a numpy array; TypeError where no checkpoint format can hold it."""
    # ml_dtypes and MindSpore bring their own bfloat16 dtypes: only the name tells them apart.
    found = TYPES.get(array.dtype.name)
    if found is None or found.size != array.dtype.itemsize:
        raise TypeError(f"arrays of {array.dtype} cannot be written to a checkpoint")
    return found


def plausible_shape(shape: tuple[int, ...]) -> bool:
    """Whether numpy could hold such an array: 32 dimensions, and no absurd size behind a zero."""
    count = 1
    for size in shape:
        count *= max(size, 1)
    return len(shape) <= 32 and count < 1 << 48


def widen_bfloat16(bits: npt.NDArray[np.uint16]) -> npt.NDArray[np.float32]:
    """bfloat16 bits (uint16) as float32 values, exactly."""
    # Flat, because numpy 1 computes with arrays of no dimension in other types than with the rest.
    wide = np.asarray(bits, dtype="<u2").reshape(-1).astype("<u4")
    wide <<= 16
    return wide.view("<f4").reshape(bits.shape)


def narrow_bfloat16(values: npt.NDArray[np.generic]) -> npt.NDArray[np.uint16]:
    """Values rounded to bfloat16 (half to even), as uint16 bits; NaN stays NaN."""
    with np.errstate(over="ignore"):  # too large becomes infinite, as in any narrowing
        single = np.asarray(values, dtype="<f4").reshape(-1)
        bits = single.view("<u4")
        rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16
    return np.where(np.isnan(single), 0x7FC0, rounded).astype("<u2").reshape(values.shape)
