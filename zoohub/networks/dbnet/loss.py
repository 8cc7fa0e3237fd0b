"""DBNet's loss.

Source: Liao et al., "Real-time Scene Text Detection with Differentiable Binarization" (2020),
section 3.5, with the weights 5, 10 and 1 of its published code.
"""

from __future__ import annotations

from mindspore import Tensor, nn, ops

from zoohub.networks.family import LossRequest

_PROBABILITY, _THRESHOLD, _BINARY = 5.0, 10.0, 1.0
_HARD = 3.0  # pixels without text to one with text that count
_SMALL = 1e-6


class BinarizationLoss(nn.Cell):
    """What the network gives in training, and `maps` (B, 4, H, W) -> the loss.

    The network gives (B, 1, H, W) three times: the probability, the threshold, the step between
    them. The maps are the inner parts of texts, where these are learnt, the thresholds, and where
    those are. The loss is 5 times the binary cross entropy of the probability, over all pixels of
    text and the three times as many others that are furthest off, plus 10 times the mean difference
    of the threshold, plus the step's Dice loss.
    """

    def construct(self, outputs: tuple[Tensor, Tensor, Tensor], maps: Tensor) -> Tensor:
        """See the class."""
        probability, threshold, step = (outputs[0][:, 0], outputs[1][:, 0], outputs[2][:, 0])
        text, learnt, wanted, border = maps[:, 0], maps[:, 1], maps[:, 2], maps[:, 3]
        off = ops.abs(threshold - wanted) * border
        apart = ops.sum(off) / (ops.sum(border) + _SMALL)
        return (
            _PROBABILITY * self.balanced(probability, text, learnt)
            + _THRESHOLD * apart
            + _BINARY * self.dice(step, text, learnt)
        )

    def balanced(self, probability: Tensor, text: Tensor, learnt: Tensor) -> Tensor:
        """The cross entropy over text and the hardest of the rest."""
        sure = ops.clamp(probability, _SMALL, 1 - _SMALL)
        loss = -(text * ops.log(sure) + (1 - text) * ops.log(1 - sure))
        positive, negative = text * learnt, (1 - text) * learnt
        count = ops.sum(positive)
        most = ops.minimum(ops.sum(negative), _HARD * count)
        hardest = ops.stop_gradient(self.hardest(loss * negative, most))
        chosen = negative * (loss >= hardest).astype(loss.dtype) * (most > 0).astype(loss.dtype)
        total = ops.sum(loss * positive) + ops.sum(loss * chosen)
        return total / (count + ops.sum(chosen) + _SMALL)

    def hardest(self, losses: Tensor, count: Tensor) -> Tensor:
        """The `count`-th largest of all; more, or none, are taken as the last, or the first."""
        flat = losses.reshape(-1)
        ordered, _ = ops.sort(flat, descending=True)
        place = ops.clamp(count.astype("int32") - 1, 0, flat.shape[0] - 1)
        return ops.gather(ordered, place, 0)

    def dice(self, step: Tensor, text: Tensor, learnt: Tensor) -> Tensor:
        """1 - twice what both have by what each has."""
        common = ops.sum(step * text * learnt)
        union = ops.sum(step * learnt) + ops.sum(text * learnt) + _SMALL
        return 1 - 2 * common / union


def binarization_loss(net: nn.Cell, request: LossRequest) -> tuple[nn.Cell, nn.Cell]:
    """See `Family.loss`."""
    return net, BinarizationLoss()
