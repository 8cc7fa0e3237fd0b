"""Texts in windows of tokens, by which a language model learns and is measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Passage:
    """Part of a text, or the whole of it: what it is called, and its token ids."""

    name: str
    ids: tuple[int, ...]


def windows(ids: Sequence[int], length: int) -> list[tuple[int, ...]]:
    """A text cut into windows of at most `length` tokens, each of which begins with the last token
    of the one before.

    >>> windows((1, 2, 3, 4, 5, 6), 3)
    [(1, 2, 3), (3, 4, 5), (5, 6)]
    """
    starts = range(0, max(1, len(ids) - 1), length - 1)
    return [tuple(ids[start : start + length]) for start in starts]
