"""How right a text classifier is: accuracy, and F1 over its classes."""

from __future__ import annotations

from zoohub.errors import DataError
from zoohub.tasks.classification.metric import Classification
from zoohub.tasks.contract import Figures


class TextClassification(Classification):
    """As of pictures, with F1, the harmonic mean of precision and recall."""

    def figures(self) -> Figures:
        """`{count, loss, acc, f1, per_class: {name: F1 or None}, confusion}`; `f1` is the mean over
        the classes that occur, as a label or as a prediction."""
        if not self._labels:
            raise DataError("there is no text to measure")
        confusion = self.confusion
        right = confusion.diagonal()
        either = confusion.sum(0) + confusion.sum(1)
        each = [float(2 * r / n) if n else None for r, n in zip(right, either, strict=True)]
        known = [score for score in each if score is not None]
        return {
            "count": len(self),
            "loss": self.loss,
            "acc": self.top(1),
            "f1": sum(known) / len(known),
            "per_class": dict(zip(self.classes, each, strict=True)),
            "confusion": confusion.tolist(),
        }
