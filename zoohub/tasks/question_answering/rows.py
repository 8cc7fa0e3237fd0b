"""Questions and the texts that answer them, as encoders take them: in windows, where the text is
long."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from zoohub.errors import DataError
from zoohub.inputs.text import Question, Sentence
from zoohub.inputs.text.tokenizer import Tokenizer
from zoohub.manifest.entry import TextContract
from zoohub.tasks.contract import Row
from zoohub.tasks.texts import IDS, KINDS, check_ids, needed


@dataclass(frozen=True, slots=True, eq=False)
class Passage:
    """A question with its marks, a context with the one that ends it, in token ids; of each of the
    context's tokens but that the characters (begin, end) of `text`; without a text, its place."""

    name: str
    question: tuple[int, ...]
    context: tuple[int, ...]
    spans: tuple[tuple[int, int], ...]
    text: str | None = None

    def said(self, first: int, last: int) -> tuple[str, int, int]:
        """What stands from one token of the context to another: as text (or token ids), and where
        it begins and ends."""
        start, end = self.spans[first][0], self.spans[last][1]
        if self.text is None:
            return " ".join(map(str, self.context[start:end])), start, end
        return self.text[start:end], start, end


@dataclass(frozen=True, slots=True)
class Window:
    """The part of a context that a row has: its tokens from `start` on, `count` of them, the first
    at the row's place `place`. The row's first place, before the question, is for no answer."""

    passage: Passage
    contract: TextContract
    place: int
    start: int
    count: int


def windows(passage: Passage, contract: TextContract, stride: int) -> Iterator[Window]:
    """The windows of a passage: each as long as the network takes, a new one every `stride` tokens
    (at most so many that none is left out) until the context's last.

    Raises:
        DataError: the question leaves no room.
    """
    tokens, longest = len(passage.spans), contract.max_length
    place = len(passage.question)
    room = tokens if longest is None else min(tokens, longest - place - 1)
    if room < 1:
        raise DataError(
            f"{passage.name:.60}: the question has {place} tokens, the network takes {longest}: "
            "that leaves no room for a context"
        )
    step = min(stride, room)
    start = 0
    while True:
        yield Window(passage, contract, place, start, min(room, tokens - start))
        if start + room >= tokens:
            return
        start += step


def window_row(window: Window) -> Row:
    """The row of a window: `input_ids` and `token_type_ids` (1 of the context), int32 (length,)."""
    passage = window.passage
    own = passage.context[window.start : window.start + window.count]
    ids = (*passage.question, *own, *passage.context[len(passage.spans) :])
    kinds = np.zeros(len(ids), np.int32)
    kinds[window.place :] = 1
    return Row({IDS: np.array(ids, np.int32), KINDS: kinds}, window)


def question_rows(
    contract: TextContract, tokenizer: Tokenizer | None, question: str | None, stride: int
) -> Callable[[Sentence | Question | Passage], tuple[Row, ...]]:
    """What makes a question and its context rows, one a window; see `windows`. A text alone is the
    context of `question`.

    Raises:
        DataError: when called: nothing is asked, a text without a tokenizer, an id that the network
            does not have, or a question that leaves no room.
    """

    def prepare(input: Sentence | Question | Passage) -> tuple[Row, ...]:
        passage = input if isinstance(input, Passage) else _passage(input)
        check_ids((*passage.question, *passage.context), contract, passage.name)
        return tuple(map(window_row, windows(passage, contract, stride)))

    def _passage(input: Sentence | Question) -> Passage:
        if isinstance(input, Sentence):
            if question is None or input.text is None:
                raise DataError(
                    f"{input.name!r:.60}: nothing is asked of it; give --question STRING "
                    '(question=), or a .jsonl of {"question": …, "context": …}'
                )
            input = Question(input.name, question, input.text)
        if isinstance(input.question, str) and isinstance(input.context, str):
            words = needed(tokenizer, contract, input.name)
            return of_texts(input.name, input.question, input.context, words)
        return of_ids(input.name, tuple(input.question), tuple(input.context))  # type: ignore[arg-type]

    return prepare


def of_texts(name: str, question: str, context: str, tokenizer: Tokenizer) -> Passage:
    """A passage of texts, cut: [CLS] question [SEP] context [SEP]. Raises DataError: the context
    has no token."""
    found = tokenizer.pieces(context)
    places = [place for place, word in enumerate(found.words) if word is not None]
    if not places:
        raise DataError(f"{name:.60}: an empty context, in which there is no answer")
    first, behind = places[0], places[-1] + 1
    return Passage(
        name,
        tuple(tokenizer.encode(question)),
        found.ids[first:],
        found.spans[first:behind],
        context,
    )


def of_ids(name: str, question: tuple[int, ...], context: tuple[int, ...]) -> Passage:
    """A passage of token ids. Raises DataError: the context is its closing mark alone."""
    if len(context) < 2:
        raise DataError(f"{name:.60}: a context of no token but the mark that ends it")
    places = tuple((place, place + 1) for place in range(len(context) - 1))
    return Passage(name, question, context, places)
