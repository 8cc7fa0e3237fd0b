"""From the scores of words to the best of each mask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zoohub.errors import DataError, UsageError
from zoohub.outputs import Form
from zoohub.outputs.form import Array, check_finite
from zoohub.outputs.text_heads import TokenScores
from zoohub.tasks.contract import Row
from zoohub.tasks.fill_mask.rows import Blanks
from zoohub.tasks.options import option
from zoohub.tasks.results import Json


@dataclass(frozen=True, slots=True)
class FillMaskOptions:
    """How many words each mask has, from which score on (0 to 1); `vocab` is the file that cuts
    text, None: token ids alone are taken, among which `mask_id` is the mask."""

    top: int = option(5, "at most so many results: labels or words (5), answers (1)")
    threshold: float = option(0.0, "least score shown", metavar="P")
    vocab: str | None = option(None, "the file of a text network's tokens", metavar="FILE")
    mask_id: int | None = option(None, "the mask's id, where token ids have no vocabulary")

    def __post_init__(self) -> None:
        if self.top < 1:
            raise UsageError(f"top must be 1 or more; got {self.top}")


@dataclass(frozen=True, slots=True)
class Word:
    """A word for a mask: `token` as the vocabulary has it (its id, where none is known), `score`
    in 0..1, `text` with the word in its place; None where no vocabulary spells it.

    `mask` counts the masks from 0 where a text has several, else it is None: the others stay in
    `text`.
    """

    token: str | int
    score: float
    text: str | None
    mask: int | None = None

    def to_json(self) -> dict[str, Json]:
        """Token, score to 6 digits, text, and the mask's number: of every word the same keys, as a
        table's columns are those of its first row."""
        return {
            "token": self.token, "score": round(self.score, 6), "text": self.text,
            "mask": self.mask,
        }  # fmt: skip

    def line(self) -> str:
        """Score and token, and which mask."""
        place = "" if self.mask is None else f"  for mask {self.mask + 1}"
        said = self.token if isinstance(self.token, str) else f"token {self.token}"
        return f"{self.score:6.1%}  {said}{place}"


def scores_in(form: Form) -> TokenScores:
    """The scores that a network gave. Raises DataError: it gave something else."""
    if not isinstance(form, TokenScores):
        raise DataError(f"expected a score a word from the network; got {type(form).__name__}")
    return form


def at_masks(logits: Array, row: Row) -> tuple[Blanks, Array]:
    """A row's masks, and the logits (M, words) at each, of logits (P, words) of which the first M
    are its own."""
    blanks = row.geometry
    assert isinstance(blanks, Blanks)
    return blanks, logits[: len(blanks.places)]


def log_softmax(logits: Array) -> NDArray[np.float64]:
    """Logarithms of probabilities along the last axis, in float64."""
    shifted = logits.astype(np.float64) - logits.max(axis=-1, keepdims=True)
    found: NDArray[np.float64] = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return found


def best_words(
    form: TokenScores, rows: Sequence[Row], options: FillMaskOptions
) -> list[tuple[Word, ...]]:
    """The best words of each row's masks, mask by mask."""
    check_finite(form.logits)
    return [
        _words(*at_masks(logits, row), options)
        for logits, row in zip(form.logits, rows, strict=True)
    ]


def _words(blanks: Blanks, logits: Array, options: FillMaskOptions) -> tuple[Word, ...]:
    several = len(blanks.places) > 1
    found = []
    for number, scores in enumerate(np.exp(log_softmax(logits))):
        for id in np.argsort(-scores, kind="stable")[: options.top].tolist():
            if scores[id] >= options.threshold:
                token = blanks.tokenizer.token(id) if blanks.tokenizer else None
                found.append(
                    Word(
                        id if token is None else token,
                        float(scores[id]),
                        _spelt(blanks, number, id, token),
                        number if several else None,
                    )
                )
    return tuple(found)


def _spelt(blanks: Blanks, number: int, id: int, token: str | None) -> str | None:
    """The text with a word in the place of one of its masks."""
    if blanks.tokenizer is None or token is None:
        return None
    if blanks.text is None:
        ids = list(blanks.ids)
        ids[blanks.places[number]] = id
        return blanks.tokenizer.spell(ids)
    begin, end = blanks.spans[number]
    mask = blanks.text[begin:end]  # RoBERTa's has the blanks before it
    before = blanks.text[:begin] + mask[: len(mask) - len(mask.lstrip())]
    word = blanks.tokenizer.spell([id]) or token
    if word.startswith("##"):  # goes on the word before
        before, word = before.rstrip(), word[2:]
    return before + word.strip() + blanks.text[end:]
