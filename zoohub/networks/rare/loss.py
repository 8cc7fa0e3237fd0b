"""What RARE is trained with: each character from those before it, as they are written."""

from __future__ import annotations

import mindspore as ms
from mindspore import Tensor, nn, ops

from zoohub.errors import RecipeError
from zoohub.networks.family import LossRequest
from zoohub.networks.rare.network import RARE, Reader


class Seen(nn.Cell):
    """A RARE without its reader: pictures -> columns (W, B, C)."""

    def __init__(self, net: RARE) -> None:
        super().__init__(auto_prefix=False)
        self.net = net

    def construct(self, x: Tensor) -> Tensor:
        return self.net.neck(self.net.backbone(x))


class TaughtCrossEntropy(nn.Cell):
    """Columns and `labels` int32 (B, L), -1 behind the end of a text -> the mean cross entropy of
    each character, given those before it."""

    def __init__(self, reader: Reader) -> None:
        super().__init__(auto_prefix=False)
        self.reader = reader

    def construct(self, columns: Tensor, labels: Tensor, lengths: Tensor, blank: Tensor) -> Tensor:
        """See the class; lengths and blank are for networks that read columns."""
        logits = self.reader.taught(columns, ops.maximum(labels, 0))
        scores = ops.log_softmax(logits.astype(ms.float32), 2)
        right = ops.gather_elements(scores, 2, ops.expand_dims(ops.maximum(labels, 0), 2))
        asked = (labels >= 0).astype(ms.float32)
        return -ops.sum(ops.squeeze(right, 2) * asked) / ops.maximum(ops.sum(asked), 1.0)


def taught_loss(net: nn.Cell, request: LossRequest) -> tuple[nn.Cell, nn.Cell]:
    """See `Family.loss`.

    Raises:
        RecipeError: it is no RARE.
    """
    if not isinstance(net, RARE):
        raise RecipeError(f"{type(net).__name__} is no RARE, so it cannot be taught as one")
    return Seen(net), TaughtCrossEntropy(net.head)
