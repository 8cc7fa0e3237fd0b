"""A sentence: text, or the ids of its tokens."""

from __future__ import annotations

from dataclasses import dataclass, field

from zoohub.inputs.text.vocabulary import Vocabulary

MOST_IDS = 1 << 31  # networks take int32


@dataclass(frozen=True, slots=True)
class Text:
    """A text that is no file's name, whatever it looks like."""

    text: str


@dataclass(frozen=True, slots=True)
class Sentence:
    """One input: what it is called, and its text or else its token ids; `words` are what its
    answer is spelt with, where it brings them along."""

    name: str
    text: str | None = None
    ids: tuple[int, ...] | None = None
    words: Vocabulary | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Question:
    """A question and the text in which its answer is looked for; both as texts, or both as token
    ids: the question's with all its marks, the context's with the one that ends it."""

    name: str
    question: str | tuple[int, ...]
    context: str | tuple[int, ...]
