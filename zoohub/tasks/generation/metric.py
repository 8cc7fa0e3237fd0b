"""How well a language model foretells texts: its perplexity."""

from __future__ import annotations

import math
from collections.abc import Sequence

from zoohub.errors import DataError
from zoohub.outputs import Form
from zoohub.outputs.continuations import TokenLosses
from zoohub.tasks.contract import Figures, Metric, Row


class Perplexity(Metric):
    """`loss`, the mean over all tokens of -ln p(token | those before it in its window), and e to
    that, `perplexity`; `acc` is the share of tokens that were the likeliest, of the `tokens` that
    were asked for."""

    def __init__(self) -> None:
        self.texts = self.tokens = 0
        self.total = self.hits = 0.0

    def add(self, form: Form, rows: Sequence[Row], targets: Sequence[None]) -> None:
        """See `Metric`."""
        assert isinstance(form, TokenLosses)
        self.texts += len(targets)
        self.tokens += int(form.counts.sum())
        self.total += float(form.sums.sum())
        self.hits += float(form.hits.sum())

    def figures(self) -> Figures:
        """`{count, tokens, perplexity, loss, acc, per_class}`; there are no classes."""
        if not self.tokens:
            raise DataError("there is no text to measure")
        loss = self.total / self.tokens
        return {
            "count": self.texts,
            "tokens": self.tokens,
            "perplexity": math.exp(min(loss, 700.0)),
            "loss": loss,
            "acc": self.hits / self.tokens,
            "per_class": {},
        }
