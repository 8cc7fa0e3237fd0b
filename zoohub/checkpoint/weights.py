"""Named arrays of one checkpoint file, as lazy views into the mapped file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from zoohub.checkpoint.dtypes import TYPES, widen_bfloat16
from zoohub.checkpoint.source import Source
from zoohub.core.counting import counted

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """What is known of a tensor without touching its data; `dtype` is a name such as `float32`."""

    shape: tuple[int, ...]
    dtype: str

    @property
    def nbytes(self) -> int:
        """Bytes of the tensor's data."""
        count = 1
        for dimension in self.shape:
            count *= dimension
        return count * TYPES[self.dtype].size


@dataclass(frozen=True, slots=True)
class Located:
    """A tensor and where its bytes lie.

    `spans` are (offset, bytes) pieces to be joined; `strides`, in elements, is None for row-major
    data; `shared` says that another tensor of the file uses the same bytes. `source` is the file
    where one checkpoint lies in several.
    """

    info: TensorInfo
    spans: tuple[tuple[int, int], ...]
    strides: tuple[int, ...] | None = None
    shared: bool = False
    source: Source | None = None

    def within(self, source: Source) -> Located:
        """The same, its file named."""
        return replace(self, source=source)


@dataclass(frozen=True, slots=True)
class Contents:
    """What a format's parser found in a file.

    `texts` are values that are not tensors (a .ckpt's `str` values, a .safetensors' metadata);
    `averaged` is a second set of weights, their moving average, where the format keeps it apart.
    """

    format: str
    tensors: dict[str, Located]
    texts: dict[str, str] = field(default_factory=dict)
    averaged: dict[str, Located] = field(default_factory=dict)


class Weights(Mapping[str, Array]):
    """A checkpoint's parameters: a mapping from name to array, in the file's order.

    Of a published file `weights[name]` is a view of the map, without a copy; the map is private:
    writing into a view changes this process's memory, never the file, and two views of one name
    share that memory. Of any other file it is read anew each time (see `source`). Copied in any
    case: tensors split over several records of a .ckpt (MindSpore does that above 512 MB), and
    bfloat16, which numpy lacks and which is widened to float32 exactly. `raw(name)` gives bfloat16
    as its bits (uint16) without a copy.
    """

    def __init__(self, source: Source, contents: Contents, path: Path | None = None) -> None:
        self._source = source
        self._path = path or source.path
        self._contents = contents
        self._claimed = False

    @property
    def path(self) -> Path:
        """The file (of several, their index)."""
        return self._path

    @property
    def format(self) -> str:
        """`ckpt`, `safetensors` or `pth`."""
        return self._contents.format

    @property
    def texts(self) -> Mapping[str, str]:
        """Text values of the file, such as a .ckpt's `str` entries."""
        return MappingProxyType(self._contents.texts)

    def with_tensors(self, tensors: dict[str, Located]) -> Weights:
        """The same file, `tensors` being what it is said to hold; it takes over the claim."""
        other = Weights(self._source, replace(self._contents, tensors=tensors), self._path)
        other._claimed = not self.claim()
        return other

    def tensors(self) -> dict[str, Located]:
        """Each tensor, and where its bytes lie."""
        return dict(self._contents.tensors)

    def table(self) -> Mapping[str, TensorInfo]:
        """Name to shape and type, in the file's order, without touching the data."""
        return {name: located.info for name, located in self._contents.tensors.items()}

    def info(self, name: str) -> TensorInfo:
        """Shape and type of one tensor."""
        return self._contents.tensors[name].info

    def raw(self, name: str) -> Array:
        """The tensor in its storage type: bfloat16 as uint16 bits, all others as they are."""
        located = self._contents.tensors[name]
        source = located.source or self._source
        storage = TYPES[located.info.dtype].storage
        if len(located.spans) == 1:
            data = source.data(*located.spans[0])
            if located.strides is None:
                return np.ndarray(located.info.shape, storage, data)
            strides = [stride * storage.itemsize for stride in located.strides]
            return np.ndarray(located.info.shape, storage, data, 0, strides)
        joined = np.empty(located.info.shape, storage)
        flat = joined.reshape(-1).view(np.uint8)
        filled = 0
        for offset, length in located.spans:
            flat[filled : filled + length] = source.data(offset, length)
            filled += length
        return joined

    def owned(self, name: str) -> bool:
        """Whether the bytes of `raw(name)` belong to this name alone and lie in row-major order."""
        located = self._contents.tensors[name]
        fresh = (located.source or self._source).fresh
        return located.strides is None and (fresh or not located.shared)

    def claim(self) -> bool:
        """True the first time: the caller may keep the views and write to them as its own.

        Always true of a file that is read: there, every array has memory of its own.
        """
        first, self._claimed = not self._claimed or self._source.fresh, True
        return first

    @property
    def averaged(self) -> Weights | None:
        """The moving average of the weights, where the file keeps it as a second set."""
        if not self._contents.averaged:
            return None
        tensors = self._contents.averaged
        contents = replace(self._contents, tensors=tensors, averaged={})
        return Weights(self._source, contents, self._path)

    def renamed(self, names: Mapping[str, str]) -> Weights:
        """The tensors in `names` alone, under their new names, with the same bytes."""
        tensors = {new: self._contents.tensors[old] for old, new in names.items()}
        return Weights(self._source, replace(self._contents, tensors=tensors), self._path)

    def __getitem__(self, name: str) -> Array:
        array = self.raw(name)
        if self.info(name).dtype == "bfloat16":
            return widen_bfloat16(array)
        return array

    def __iter__(self) -> Iterator[str]:
        return iter(self._contents.tensors)

    def __len__(self) -> int:
        return len(self._contents.tensors)

    def __repr__(self) -> str:
        return f"Weights({str(self.path)!r}, {counted(len(self), 'tensor')})"
