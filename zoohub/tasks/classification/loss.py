"""What classifiers are trained with."""

from __future__ import annotations

import mindspore as ms
import numpy as np
from mindspore import Tensor, nn, ops
from numpy.typing import NDArray


def soft_targets(labels: NDArray[np.int64], classes: int, smoothing: float) -> NDArray[np.float32]:
    """Class indices (N,) -> probabilities (N, classes): 1 - smoothing + smoothing / classes."""
    targets = np.full((len(labels), classes), smoothing / classes, np.float32)
    targets[np.arange(len(labels)), labels] += np.float32(1 - smoothing)
    return targets


class SoftCrossEntropy(nn.Cell):
    """Mean cross entropy of logits (N, K) with target probabilities (N, K)."""

    def construct(self, logits: Tensor, targets: Tensor) -> Tensor:
        """The loss, a scalar."""
        return -(targets * ops.log_softmax(logits.astype(ms.float32), 1)).sum(1).mean()
