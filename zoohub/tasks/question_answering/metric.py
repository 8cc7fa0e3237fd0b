"""How right answers are, by the rule of SQuAD: exact match, and F1 of words.

Source: Rajpurkar et al., "SQuAD: 100,000+ Questions for Machine Comprehension of Text" (2016).
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Mapping, Sequence

from zoohub.errors import DataError
from zoohub.outputs import Form
from zoohub.outputs.text_heads import SpanScores
from zoohub.tasks.contract import Figures, Metric, Row
from zoohub.tasks.question_answering.interpret import (
    AnsweringOptions,
    best_of,
    candidates,
    log_softmax,
    scores_in,
    window_of,
)
from zoohub.tasks.question_answering.squad import Truth
from zoohub.tasks.question_answering.training_rows import chosen
from zoohub.tasks.texts import IDS

_PUNCTUATION = str.maketrans("", "", string.punctuation)
_ARTICLES = re.compile(r"\b(a|an|the)\b")


class ExactAndF1(Metric):
    """Of several right answers the one that fits best counts; where there is none, no answer is
    right and any is wrong.

    The loss is that of training, in the window that a question is trained on: of the first right
    answer, over the window's tokens. A network that finds several answers has none.
    """

    def __init__(self) -> None:
        self.count = self.asked = 0
        self.exact = self.f1 = self.losses = 0.0

    def add(self, form: Form, rows: Sequence[Row], targets: Sequence[Truth]) -> None:
        """See `Metric`; a question has one row a window."""
        scores = scores_in(form)
        found = candidates(scores, rows, AnsweringOptions())
        questions: list[list[int]] = []
        last = None
        for place, row in enumerate(rows):
            passage = window_of(row).passage
            if passage is not last:
                questions.append([])
            questions[-1].append(place)
            last = passage
        for places, truth in zip(questions, targets, strict=True):
            answers = best_of([found[place][0] for place in places])
            if not scores.several:
                self._add_loss(scores, {place: rows[place] for place in places}, truth)
            said = answers[0].text if answers else ""
            wanted = truth.texts or ("",)
            self.count += 1
            self.exact += max(float(plain(said) == plain(text)) for text in wanted)
            self.f1 += max(f1(said, text) for text in wanted)

    def _add_loss(self, scores: SpanScores, rows: Mapping[int, Row], truth: Truth) -> None:
        try:
            row, *wanted = chosen(tuple(rows.values()), truth.tokens)
        except DataError:
            return  # no window has all of the answer: it is not trained on either
        place = next(place for place, one in rows.items() if one is row)
        own = len(row.inputs[IDS])
        for logits, right in zip((scores.starts, scores.ends), wanted, strict=True):
            self.losses -= 0.5 * float(log_softmax(logits[place, :own])[right])
        self.asked += 1

    def figures(self) -> Figures:
        """`{count, exact_match, f1, loss, per_class}`, shares of 1, the loss in nats (None: there
        is none); there are no classes."""
        if not self.count:
            raise DataError("there is no question to measure")
        return {
            "count": self.count,
            "exact_match": self.exact / self.count,
            "f1": self.f1 / self.count,
            "loss": self.losses / self.asked if self.asked else None,
            "per_class": {},
        }


def plain(text: str) -> str:
    """An answer without case, punctuation, articles and more than one blank.

    >>> plain("The  cat's")
    'cats'
    """
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def f1(said: str, wanted: str) -> float:
    """The harmonic mean of the shares of words that two answers have of each other.

    >>> f1("the black cat", "cat")
    0.6666666666666666
    """
    one, other = plain(said).split(), plain(wanted).split()
    if not one or not other:
        return float(one == other)
    common = (Counter(one) & Counter(other)).total()
    return 2 * common / (len(one) + len(other))
