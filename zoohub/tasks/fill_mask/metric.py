"""How well words left out are found."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from zoohub.errors import DataError
from zoohub.outputs import Form
from zoohub.tasks.contract import Figures, Metric, Row
from zoohub.tasks.fill_mask.interpret import at_masks, log_softmax, scores_in
from zoohub.tasks.fill_mask.table import Truth


class FoundWords(Metric):
    """The share of words found, and the cross entropy of the right ones."""

    def __init__(self) -> None:
        self.texts = self.words = self.right = 0
        self.losses = 0.0

    def add(self, form: Form, rows: Sequence[Row], targets: Sequence[Truth]) -> None:
        """See `Metric`."""
        for logits, row, truth in zip(scores_in(form).logits, rows, targets, strict=True):
            blanks, own = at_masks(logits, row)
            wanted = np.array(truth)[: len(blanks.places)]  # of a text that was cut the first
            scores = log_softmax(own)
            if wanted.max() >= scores.shape[1]:
                raise DataError(f"token {wanted.max()} is none of the network's {scores.shape[1]}")
            self.texts += 1
            self.words += len(wanted)
            self.right += int((scores.argmax(1) == wanted).sum())
            self.losses -= float(scores[np.arange(len(wanted)), wanted].sum())

    def figures(self) -> Figures:
        """`{count, words, acc, loss, perplexity, per_class}`: `loss` is in nats a word, there are
        no classes."""
        if not self.words:
            raise DataError("there is no text to measure")
        loss = self.losses / self.words
        return {
            "count": self.texts,
            "words": self.words,
            "acc": self.right / self.words,
            "loss": loss,
            "perplexity": math.exp(min(loss, 700.0)),
            "per_class": {},
        }
