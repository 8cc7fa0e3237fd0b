"""How right answers are, by the rule of SQuAD: exact match, and F1 of words.

Source: Rajpurkar et al., "SQuAD: 100,000+ Questions for Machine Comprehension of Text" (2016).
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Sequence

from zoohub.errors import DataError
from zoohub.outputs import Form
from zoohub.tasks.contract import Figures, Metric, Row
from zoohub.tasks.question_answering.interpret import (
    AnsweringOptions,
    Candidates,
    best_of,
    candidates,
    scores_in,
    window_of,
)
from zoohub.tasks.question_answering.squad import Truth

_PUNCTUATION = str.maketrans("", "", string.punctuation)
_ARTICLES = re.compile(r"\b(a|an|the)\b")


class ExactAndF1(Metric):
    """Of several right answers the one that fits best counts; where there is none, no answer is
    right and any is wrong."""

    def __init__(self) -> None:
        self.count = 0
        self.exact = self.f1 = 0.0

    def add(self, form: Form, rows: Sequence[Row], targets: Sequence[Truth]) -> None:
        """See `Metric`; a question has one row a window."""
        found = candidates(scores_in(form), rows, AnsweringOptions())
        questions: list[list[Candidates]] = []
        last = None
        for (window,), row in zip(found, rows, strict=True):
            passage = window_of(row).passage
            if passage is not last:
                questions.append([])
            questions[-1].append(window)
            last = passage
        for windows, truth in zip(questions, targets, strict=True):
            answers = best_of(windows)
            said = answers[0].text if answers else ""
            wanted = truth.texts or ("",)
            self.count += 1
            self.exact += max(float(plain(said) == plain(text)) for text in wanted)
            self.f1 += max(f1(said, text) for text in wanted)

    def figures(self) -> Figures:
        """`{count, exact_match, f1, per_class}`, shares of 1; there are no classes."""
        if not self.count:
            raise DataError("there is no question to measure")
        return {
            "count": self.count,
            "exact_match": self.exact / self.count,
            "f1": self.f1 / self.count,
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
