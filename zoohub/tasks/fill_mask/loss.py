"""What an encoder is pretrained with: the cross entropy of the words left out."""

from __future__ import annotations

import mindspore as ms
from mindspore import Tensor, nn, ops


class MaskedCrossEntropy(nn.Cell):
    """Scores of words (B, L, V) and `labels` int32 (B, L), -1 where nothing is asked -> the mean
    cross entropy. What else the head gives (whether a second text follows) is left aside."""

    def construct(self, outputs: Tensor | tuple[Tensor, ...], labels: Tensor) -> Tensor:
        """See the class."""
        words = outputs[0] if isinstance(outputs, tuple) else outputs
        scores = ops.log_softmax(words.astype(ms.float32), -1)
        right = ops.gather_elements(scores, 2, ops.expand_dims(ops.maximum(labels, 0), 2))
        asked = (labels >= 0).astype(ms.float32)
        return -ops.sum(ops.squeeze(right, 2) * asked) / ops.maximum(ops.sum(asked), 1.0)
