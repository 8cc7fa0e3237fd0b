"""What a network that answers is trained with: the cross entropy of where answers start and end."""

from __future__ import annotations

import mindspore as ms
from mindspore import Tensor, nn, ops


class SpanCrossEntropy(nn.Cell):
    """Scores (B, L, 2), or (B, L) twice, and the right places `starts` and `ends`, int32 (B,) ->
    the mean of both cross entropies; log-probabilities are their own logits."""

    def construct(
        self, outputs: Tensor | tuple[Tensor, ...], starts: Tensor, ends: Tensor
    ) -> Tensor:
        """See the class."""
        if isinstance(outputs, tuple):
            first, last = outputs[0], outputs[1]
        else:
            first, last = outputs[..., 0], outputs[..., 1]
        return 0.5 * (_cross_entropy(first, starts) + _cross_entropy(last, ends))


def _cross_entropy(scores: Tensor, places: Tensor) -> Tensor:
    logp = ops.log_softmax(scores.astype(ms.float32), 1)
    return -ops.mean(ops.gather_elements(logp, 1, ops.expand_dims(places, 1)))
