"""How right a classifier is."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from zoohub.errors import DataError
from zoohub.outputs import ClassScores, Form
from zoohub.tasks.classification.interpret import counted
from zoohub.tasks.contract import Figures, Metric, Row


class Classification(Metric):
    """Results on one set of pictures: their logits (N, K) and labels (N,), batch by batch."""

    def __init__(self, classes: tuple[str, ...]) -> None:
        self.classes = classes
        self._logits: list[NDArray[np.float32]] = []
        self._labels: list[int] = []

    def add(self, form: Form, rows: Sequence[Row], targets: Sequence[int]) -> None:
        """See `Metric`."""
        assert isinstance(form, ClassScores)
        logits = counted(form.logits, len(self.classes))
        self._logits.append(np.asarray(logits, np.float32))
        self._labels += targets

    @cached_property
    def logits(self) -> NDArray[np.float32]:
        """Of all pictures, once they are all there."""
        return np.concatenate(self._logits)

    @cached_property
    def labels(self) -> NDArray[np.int64]:
        """As for `logits`."""
        return np.array(self._labels, np.int64)

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def predicted(self) -> NDArray[np.int64]:
        """The class of the largest logit of each picture."""
        return self.logits.argmax(1).astype(np.int64)

    def top(self, k: int) -> float:
        """The share of pictures whose label is among the `k` largest logits; 0 to 1."""
        k = min(k, self.logits.shape[1])
        best = np.argpartition(-self.logits, k - 1, axis=1)[:, :k]
        return float((best == self.labels[:, None]).any(1).mean())

    @property
    def loss(self) -> float:
        """Mean cross entropy, in nats."""
        return float(self.losses.mean())

    @property
    def losses(self) -> NDArray[np.float64]:
        """Each picture's cross entropy, in nats."""
        logits = self.logits.astype(np.float64)
        top = logits.max(1, keepdims=True)
        log_sum = np.log(np.exp(logits - top).sum(1)) + top[:, 0]
        losses: NDArray[np.float64] = log_sum - logits[np.arange(len(logits)), self.labels]
        return losses

    @property
    def confusion(self) -> NDArray[np.int64]:
        """Counts (K, K): row is the label, column the prediction."""
        classes = self.logits.shape[1]
        counts = np.bincount(self.labels * classes + self.predicted, minlength=classes**2)
        return counts.reshape(classes, classes).astype(np.int64)

    def figures(self) -> Figures:
        """`{count, loss, top1, top5, per_class: {name: accuracy or None}, confusion}`; no top5
        below six classes."""
        if not self._labels:
            raise DataError("none of the pictures to evaluate on can be read")
        confusion = self.confusion
        totals = confusion.sum(1)
        result: Figures = {"count": len(self), "loss": self.loss, "top1": self.top(1)}
        if len(self.classes) > 5:
            result["top5"] = self.top(5)
        result["per_class"] = {
            name: float(confusion[i, i] / totals[i]) if totals[i] else None
            for i, name in enumerate(self.classes)
        }
        return {**result, "confusion": confusion.tolist()}
