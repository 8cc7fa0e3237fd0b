"""How right a classifier is: pure functions of logits and labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Classification:
    """Results on one set of pictures, from its logits (N, K) and labels (N,)."""

    logits: NDArray[np.float32]
    labels: NDArray[np.int64]

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

    def summary(self, classes: tuple[str, ...]) -> dict[str, Any]:
        """`{count, loss, top1, top5, per_class: {name: accuracy or None}}`; no top5 below 6."""
        confusion = self.confusion
        totals = confusion.sum(1)
        result: dict[str, Any] = {"count": len(self), "loss": self.loss, "top1": self.top(1)}
        if len(classes) > 5:
            result["top5"] = self.top(5)
        result["per_class"] = {
            name: float(confusion[i, i] / totals[i]) if totals[i] else None
            for i, name in enumerate(classes)
        }
        return result
