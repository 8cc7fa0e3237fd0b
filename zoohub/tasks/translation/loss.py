"""The loss of a translator: the cross entropy of each next token, smoothed."""

from __future__ import annotations

from mindspore import Tensor, nn, ops
from mindspore import dtype as mstype


class SmoothedCrossEntropy(nn.Cell):
    """Log probabilities (B·T, V), `labels` int32 (B, T) and `mask` (B, T), 1 on tokens -> their
    mean loss.

    The right token counts 1 - `smoothing`, all others share the rest (Szegedy et al. 2016).
    """

    def __init__(self, smoothing: float) -> None:
        super().__init__()
        self.smoothing = smoothing

    def construct(self, log_probabilities: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
        """See the class."""
        log_probabilities = log_probabilities.astype(mstype.float32)
        others = self.smoothing / (log_probabilities.shape[1] - 1)
        right = ops.gather_elements(log_probabilities, 1, ops.reshape(labels, (-1, 1)))
        everything = ops.sum(log_probabilities, 1)
        each = (1.0 - self.smoothing - others) * ops.reshape(right, (-1,)) + others * everything
        weight = ops.reshape(mask, (-1,)).astype(mstype.float32)
        return -ops.sum(each * weight) / (ops.sum(weight) + 1e-6)
