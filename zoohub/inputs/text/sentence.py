"""A sentence: text, or the ids of its tokens."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Text:
    """A text that is no file's name, whatever it looks like."""

    text: str


@dataclass(frozen=True, slots=True)
class Sentence:
    """One input: what it is called, and its text or else its token ids."""

    name: str
    text: str | None = None
    ids: tuple[int, ...] | None = None
