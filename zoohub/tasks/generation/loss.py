"""The loss of a language model: the cross entropy of each next token."""

from __future__ import annotations

from mindspore import Tensor, nn, ops
from mindspore import dtype as mstype


class NextTokenLoss(nn.Cell):
    """logits (B, L, V), `labels` int32 (B, L), the token after each, and `mask` (B, L), 1 where
    there is one -> their mean loss. The right token counts 1 - `smoothing`, all others share the
    rest."""

    def __init__(self, smoothing: float) -> None:
        super().__init__()
        self.smoothing = smoothing

    def construct(self, logits: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
        """See the class."""
        found = ops.log_softmax(ops.reshape(logits.astype(mstype.float32), (-1, logits.shape[-1])))
        others = self.smoothing / (logits.shape[-1] - 1)
        right = ops.reshape(ops.gather_elements(found, 1, ops.reshape(labels, (-1, 1))), (-1,))
        each = (1.0 - self.smoothing - others) * right
        if self.smoothing:
            each = each + others * ops.sum(found, 1)
        weight = ops.reshape(mask, (-1,)).astype(mstype.float32)
        return -ops.sum(each * weight) / ops.sum(weight)
