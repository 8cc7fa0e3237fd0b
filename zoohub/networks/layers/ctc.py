"""What networks that read columns are trained with: connectionist temporal classification.

Source: Graves et al., "Connectionist Temporal Classification" (2006).
"""

from __future__ import annotations

import mindspore as ms
from mindspore import Tensor, nn, ops

from zoohub.networks.family import LossRequest


class CTCLoss(nn.Cell):
    """Logits and `labels` int32 (B, L), `lengths` int32 (B,), `blank` int32 (B,) -> the mean over
    texts of the negative log probability of all ways to read a text, over its length.

    Logits are (steps, B, classes), or (B, steps, classes) without `steps_first`. `labels` are
    numbered without the blank, a class that is the same of all texts; what is behind a text's end
    is not looked at. A text that has not enough steps counts nothing.
    """

    def __init__(self, *, steps_first: bool = True) -> None:
        super().__init__(auto_prefix=False)
        self.steps_first = steps_first

    def construct(self, logits: Tensor, labels: Tensor, lengths: Tensor, blank: Tensor) -> Tensor:
        """See the class."""
        if not self.steps_first:
            logits = ops.transpose(logits, (1, 0, 2))
        steps, batch, classes = logits.shape
        place = ops.arange(0, classes, 1).astype(ms.int32)
        others = ops.select(place < blank[0], place, place + 1)
        order = ops.select(place == classes - 1, ops.zeros_like(place) + blank[0], others)
        shares = ops.log_softmax(ops.gather(logits.astype(ms.float32), order, 2), 2)
        again = (labels[:, 1:] == labels[:, :-1]).logical_and(labels[:, 1:] >= 0)
        enough = lengths + ops.sum(again.astype(ms.int32), 1) <= steps
        # What is infinite gives no gradients that a factor of 0 would take away.
        possible = ops.select(enough, lengths, ops.ones_like(lengths))
        whole = ops.full((batch,), steps, dtype=ms.int32)
        each, _ = ops.ctc_loss(shares, labels, whole, possible, classes - 1, "none", False)
        return ops.mean(each / possible.astype(ms.float32) * enough.astype(ms.float32))


def columns_loss(net: nn.Cell, request: LossRequest) -> tuple[nn.Cell, nn.Cell]:
    """See `Family.loss`: of a network that gives logits (steps, B, classes) in training."""
    return net, CTCLoss()


def rows_loss(net: nn.Cell, request: LossRequest) -> tuple[nn.Cell, nn.Cell]:
    """See `Family.loss`: of a network that gives logits (B, steps, classes)."""
    return net, CTCLoss(steps_first=False)
