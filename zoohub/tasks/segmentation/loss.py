"""The loss of a segmenter: the cross entropy of each pixel that has a class."""

from __future__ import annotations

import numpy as np
from mindspore import Tensor, nn, ops
from mindspore import dtype as mstype

from zoohub.tasks.segmentation.masks import IGNORED


class PixelCrossEntropy(nn.Cell):
    """Logits (B, classes, H, W), or several such, and class indices (B, h, w) -> their mean loss.

    A network that looks at the middle of its input only has fewer pixels than there are classes
    said: it answers for those. `weights` (classes,) multiply what a pixel of each class counts.
    """

    def __init__(self, classes: int, weights: tuple[float, ...] | None = None) -> None:
        super().__init__()
        self.classes = classes
        values = np.ones(classes, np.float32) if weights is None else np.array(weights, np.float32)
        self.weights = Tensor(values)

    def construct(self, logits: Tensor, target: Tensor) -> Tensor:
        """See the class."""
        if logits.ndim == 5:  # of several depths: (depths, B, classes, H, W)
            total = self.of_one(logits[0], target)
            for depth in range(1, logits.shape[0]):
                total = total + self.of_one(logits[depth], target)
            return total / logits.shape[0]
        return self.of_one(logits, target)

    def of_one(self, logits: Tensor, target: Tensor) -> Tensor:
        """The loss of one map of logits."""
        height, width = logits.shape[2], logits.shape[3]
        top, left = (target.shape[1] - height) // 2, (target.shape[2] - width) // 2
        target = target[:, top : top + height, left : left + width]
        counted = ops.not_equal(target, IGNORED)
        known = ops.select(counted, target, ops.zeros_like(target))
        # Written out: MindSpore's log_softmax over the channels takes a CPU seven times as long.
        logits = logits.astype(mstype.float32)
        below = logits - ops.stop_gradient(ops.amax(logits, 1, True))
        picked = ops.squeeze(ops.gather_elements(below, 1, ops.expand_dims(known, 1)), 1)
        unlikely = ops.log(ops.sum(ops.exp(below), 1)) - picked
        weight = ops.gather(self.weights, known, 0) * counted.astype(mstype.float32)
        return ops.sum(unlikely * weight) / (ops.sum(weight) + 1e-6)
