"""Counts in sentences: a word in the number that its count asks for."""

from __future__ import annotations


def plural(count: int, one: str, several: str | None = None) -> str:
    """`one` where the count is 1, else `several`: `one` with an s, where nothing else is given."""
    if count == 1:
        return one
    return f"{one}s" if several is None else several


def counted(count: int, one: str, several: str | None = None) -> str:
    """A count and what it counts: `1 picture`, `2 pictures`; see `plural`."""
    return f"{count} {plural(count, one, several)}"
