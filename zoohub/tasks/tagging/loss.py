"""What taggers are trained with: the cross entropy of each word's tag."""

from __future__ import annotations

import mindspore as ms
from mindspore import Tensor, nn, ops


class TagCrossEntropy(nn.Cell):
    """Scores (B, L, K) or (B·L, K), and `labels` int32 (B, L), below 0 where no word begins -> the
    mean cross entropy of the words, with the share `smoothing` of each spread over all tags."""

    def __init__(self, smoothing: float) -> None:
        super().__init__()
        self.smoothing = smoothing

    def construct(self, scores: Tensor, labels: Tensor) -> Tensor:
        """See the class."""
        logp = ops.log_softmax(ops.reshape(scores, (-1, scores.shape[-1])).astype(ms.float32), -1)
        wanted = ops.reshape(labels, (-1, 1))
        right = ops.reshape(ops.gather_elements(logp, 1, ops.maximum(wanted, 0)), (-1,))
        each = (1.0 - self.smoothing) * right + self.smoothing * ops.mean(logp, 1)
        asked = ops.reshape(wanted >= 0, (-1,)).astype(ms.float32)
        return -ops.sum(each * asked) / ops.maximum(ops.sum(asked), 1.0)
