"""From where answers may start and end to the best of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zoohub.errors import DataError, UsageError
from zoohub.outputs import Form
from zoohub.outputs.form import Array, check_finite
from zoohub.outputs.text_heads import SpanScores
from zoohub.tasks.contract import Row
from zoohub.tasks.options import option
from zoohub.tasks.question_answering.rows import Window
from zoohub.tasks.results import Json

_FOUND = 0.5  # from this probability on a token starts or ends one of several spans


@dataclass(frozen=True, slots=True)
class AnsweringOptions:
    """How many answers a question has (None: 1; of a network that finds several, all), from which
    score on (0 to 1), of how many tokens at most; `stride` is how many tokens of a long context lie
    between the beginnings of two windows."""

    top: int | None = option(None, "at most so many results: labels or words (5), answers (1)")
    threshold: float = option(0.0, "least score shown", metavar="P")
    question: str | None = option(None, "what is asked of each text", metavar="STRING")
    stride: int = option(128, "tokens from one window of a long text to the next (128)")
    max_answer_tokens: int = option(30, "longest answer in tokens (30)")
    vocab: str | None = option(None, "the file of a text network's tokens", metavar="FILE")

    def __post_init__(self) -> None:
        for name in ("top", "stride", "max_answer_tokens"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise UsageError(f"{name} must be 1 or more; got {value}")
        if self.question is not None and not self.question.strip():
            raise UsageError("question is empty; write what is asked")


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer: the characters `start` to `end` of its context, and these as `text`; of token ids
    the tokens `start` to `end`, with their ids as the text. No answer is an empty text from 0 to 0.

    `score` (0 to 1) is the probability of its start times that of its end.
    """

    text: str
    score: float
    start: int
    end: int

    def to_json(self) -> dict[str, Json]:
        """Text, score to 6 digits, start and end."""
        return {
            "text": self.text, "score": round(self.score, 6), "start": self.start, "end": self.end,
        }  # fmt: skip

    def line(self) -> str:
        """Score and text."""
        return f"{self.score:6.1%}  {self.text or '(no answer)'}"


@dataclass(frozen=True, slots=True)
class Candidates:
    """What one window answers: its best spans, and the probability that it has none (None: of
    several spans there may be none); `most` are kept of all windows together."""

    answers: tuple[Answer, ...]
    nothing: float | None
    most: int | None
    least: float


def scores_in(form: Form) -> SpanScores:
    """The scores that a network gave. Raises DataError: it gave something else."""
    if not isinstance(form, SpanScores):
        raise DataError(
            f"expected where an answer starts and ends from the network; got {type(form).__name__}"
        )
    return form


def window_of(row: Row) -> Window:
    """The window of a row."""
    assert isinstance(row.geometry, Window)
    return row.geometry


def candidates(
    form: SpanScores, rows: Sequence[Row], options: AnsweringOptions
) -> list[tuple[Candidates]]:
    """What each window answers."""
    check_finite(form.starts)
    check_finite(form.ends)
    found = _several if form.several else _best
    return [
        (found(form.starts[place], form.ends[place], window_of(row), options),)
        for place, row in enumerate(rows)
    ]


def best_of(windows: Sequence[Candidates]) -> tuple[Answer, ...]:
    """The best answers of all windows of a context, best first: of a span in several windows its
    best score counts; that there is no answer is as probable as in the window that is surest of
    having one."""
    found: dict[tuple[int, int], Answer] = {}
    for answer in (answer for window in windows for answer in window.answers):
        known = found.get((answer.start, answer.end))
        if known is None or answer.score > known.score:
            found[answer.start, answer.end] = answer
    answers = list(found.values())
    nothing = [window.nothing for window in windows if window.nothing is not None]
    if nothing:
        answers.append(Answer("", min(nothing), 0, 0))
    ordered = sorted(answers, key=lambda answer: -answer.score)
    kept = [answer for answer in ordered if answer.score >= windows[0].least]
    return tuple(kept[: windows[0].most])


def _best(starts: Array, ends: Array, window: Window, options: AnsweringOptions) -> Candidates:
    """The most probable spans of the window's context, of all that it and no answer could be."""
    places = [0, *range(window.place, window.place + window.count)]
    begin, end = _softmax(starts[places]), _softmax(ends[places])
    scores = np.triu(np.outer(begin[1:], end[1:]))
    scores = np.tril(scores, options.max_answer_tokens - 1)
    most = options.top or 1
    order = np.argsort(-scores, axis=None, kind="stable")[:most]
    spans = zip(*np.unravel_index(order, scores.shape), strict=True)
    answers = [_answer(window, int(a), int(b), float(scores[a, b])) for a, b in spans]
    likely = tuple(answer for answer in answers if answer.score > 0)
    return Candidates(likely, float(begin[0] * end[0]), most, options.threshold)


def _several(starts: Array, ends: Array, window: Window, options: AnsweringOptions) -> Candidates:
    """Every span: an end belongs to the start that is nearest before it, and to no other."""
    own = slice(window.place, window.place + window.count)
    begins = np.flatnonzero(starts[own] > _FOUND).tolist()
    closes = np.flatnonzero(ends[own] > _FOUND).tolist()
    nearest: dict[int, int] = {}
    for begin in begins:  # of those with one end the last stays
        close = next((close for close in closes if close >= begin), None)
        if close is not None and close - begin < options.max_answer_tokens:
            nearest[close] = begin
    answers = tuple(
        _answer(window, begin, close, float(starts[own][begin]) * float(ends[own][close]))
        for close, begin in nearest.items()
    )
    return Candidates(answers, None, options.top, options.threshold)


def _answer(window: Window, first: int, last: int, score: float) -> Answer:
    text, start, end = window.passage.said(window.start + first, window.start + last)
    return Answer(text, score, start, end)


def log_softmax(logits: Array) -> NDArray[np.float64]:
    """Logarithms of the probabilities of places (P,), in float64."""
    values = logits.astype(np.float64) - logits.max()
    found: NDArray[np.float64] = values - np.log(np.exp(values).sum())
    return found


def _softmax(logits: Array) -> NDArray[np.float64]:
    found: NDArray[np.float64] = np.exp(log_softmax(logits))
    return found
