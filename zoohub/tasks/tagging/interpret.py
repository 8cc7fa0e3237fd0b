"""From the scores of tokens to what a text's words name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zoohub.errors import DataError
from zoohub.outputs import Form
from zoohub.outputs.form import check_finite
from zoohub.outputs.text_heads import TokenScores
from zoohub.tasks.contract import Row, check_count
from zoohub.tasks.options import option
from zoohub.tasks.results import Json, class_name
from zoohub.tasks.tagging.entities import entities
from zoohub.tasks.tagging.rows import Words
from zoohub.tasks.tagging.viterbi import best_chain


@dataclass(frozen=True, slots=True)
class TaggingOptions:
    """From which score on (0 to 1) something is named; `vocab` is the file that cuts text, None:
    token ids alone are taken."""

    threshold: float = option(0.0, "least score shown", metavar="P")
    vocab: str | None = option(None, "the file of a text network's tokens", metavar="FILE")


@dataclass(frozen=True, slots=True)
class Named:
    """What some words name: `label`, the characters `start` to `end` of the text and these as
    `text`; of token ids the tokens from `start` to `end`, without a text.

    `score` (0 to 1) is the mean probability of the words' tags; of a network with a conditional
    random field, that of the text's whole chain of tags.
    """

    label: str
    text: str | None
    start: int
    end: int
    score: float

    def to_json(self) -> dict[str, Json]:
        """Label, text, start, end, and score to 6 digits."""
        return {
            "label": self.label, "text": self.text, "start": self.start, "end": self.end,
            "score": round(self.score, 6),
        }  # fmt: skip

    def line(self) -> str:
        """Score, label, and the words or the tokens."""
        what = f"tokens {self.start} to {self.end - 1}" if self.text is None else self.text
        return f"{self.score:6.1%}  {self.label}  {what}"


def scores_in(form: Form) -> TokenScores:
    """The scores that a network gave. Raises DataError: it gave something else."""
    if not isinstance(form, TokenScores):
        raise DataError(f"expected each token's scores from the network; got {type(form).__name__}")
    return form


def words_of(row: Row) -> Words:
    """The words of a row."""
    assert isinstance(row.geometry, Words)
    return row.geometry


def word_tags(form: TokenScores, place: int, words: Words) -> tuple[list[int], list[float]]:
    """The tag of each word of one text, and its probability. Under a conditional random field the
    best chain of all tokens decides (Viterbi), else each token by itself."""
    logits = form.logits[place, : len(words.ids)]
    firsts = list(words.firsts)
    if form.after is not None:
        chain, probability = best_chain(logits, form.after)
        return [chain[first] for first in firsts], [probability] * len(firsts)
    probabilities = np.exp(log_softmax(logits[firsts]))
    return probabilities.argmax(1).tolist(), probabilities.max(1, initial=0.0).tolist()


def log_softmax(logits: NDArray[np.generic]) -> NDArray[np.float64]:
    """Logarithms of probabilities along the last axis, in float64."""
    values = logits.astype(np.float64)
    shifted = values - values.max(axis=-1, keepdims=True)
    found: NDArray[np.float64] = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return found


def named_in(
    form: TokenScores,
    rows: Sequence[Row],
    names: tuple[str, ...] | None,
    options: TaggingOptions,
) -> list[tuple[Named, ...]]:
    """What is named in each text, in its order. Without names of the tags, words in a row that have
    the same tag are one."""
    check_count(form.classes, names)
    check_finite(form.logits)
    return [
        tuple(
            found
            for found in _named(form, place, words_of(row), names)
            if found.score >= options.threshold
        )
        for place, row in enumerate(rows)
    ]


def _named(
    form: TokenScores, place: int, words: Words, names: tuple[str, ...] | None
) -> list[Named]:
    tags, scores = word_tags(form, place, words)
    found = []
    for kind, first, behind in entities([class_name(tag, names) for tag in tags]):
        start, end = words.spans[first][0], words.spans[behind - 1][1]
        text = None if words.text is None else words.text[start:end]
        found.append(Named(kind, text, start, end, float(np.mean(scores[first:behind]))))
    return found
