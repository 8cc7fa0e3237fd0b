"""A file's bytes by index, slice and search, read in pages and never mapped."""

from __future__ import annotations

from collections.abc import Callable
from typing import overload

_PAGE = 4096
_BLOCK = 1 << 16


class Pages:
    """What the parsers of headers use of a file: `[index]`, `[start:stop]`, `find` and `rfind`.

    `read(offset, target)` fills a buffer from the file. The last page is kept: headers are read
    byte by byte.
    """

    def __init__(self, size: int, read: Callable[[int, memoryview], None]) -> None:
        self._size = size
        self._read = read
        # One object, replaced whole, so that threads see a page with its own offset.
        self._page: tuple[int, bytes] = (0, b"")

    def __len__(self) -> int:
        return self._size

    @overload
    def __getitem__(self, key: int) -> int: ...

    @overload
    def __getitem__(self, key: slice) -> bytes: ...

    def __getitem__(self, key: int | slice) -> int | bytes:
        if isinstance(key, slice):
            start, stop, _ = key.indices(self._size)
            return self._bytes(start, max(stop - start, 0))
        if not 0 <= key < self._size:
            raise IndexError(key)
        start, page = self._page
        if not start <= key < start + len(page):
            start, page = self._turn_to(key)
        return page[key - start]

    def find(self, wanted: bytes, start: int = 0, stop: int | None = None) -> int:
        """The first place of `wanted` in the stretch, -1 if there is none."""
        stop = self._size if stop is None else min(stop, self._size)
        while start < stop:
            block = self._bytes(start, min(_BLOCK, stop - start))
            found = block.find(wanted)
            if found >= 0:
                return start + found
            if start + len(block) >= stop:
                break
            start += len(block) - len(wanted) + 1
        return -1

    def rfind(self, wanted: bytes, start: int = 0) -> int:
        """The last place of `wanted` from `start` to the end, -1 if there is none."""
        found = self._bytes(start, self._size - start).rfind(wanted)
        return found + start if found >= 0 else -1

    def _bytes(self, start: int, length: int) -> bytes:
        begin, page = self._page
        if begin <= start and start + length <= begin + len(page):
            return page[start - begin : start - begin + length]
        if length <= _PAGE:
            begin, page = self._turn_to(start)
            return page[start - begin : start - begin + length]
        data = bytearray(length)
        self._read(start, memoryview(data))
        return bytes(data)

    def _turn_to(self, offset: int) -> tuple[int, bytes]:
        data = bytearray(min(_PAGE, self._size - offset))
        self._read(offset, memoryview(data))
        self._page = (offset, bytes(data))
        return self._page
