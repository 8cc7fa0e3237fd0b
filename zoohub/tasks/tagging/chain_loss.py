"""What taggers with a conditional random field are trained with: how unlikely the right chain is.

Source: Lafferty et al., "Conditional Random Fields" (2001). Shapes: B texts of L tokens, K tags and
beside them a text's start and its end.
"""

from __future__ import annotations

import mindspore as ms
from mindspore import Tensor, nn, ops

from zoohub.tasks.tagging.training_rows import PADDING

_NEVER = -1e4  # the score of what cannot be


class ChainLoss(nn.Cell):
    """Scores (B, L, K + 2) and those of one tag after another (K + 2, K + 2), and `labels` int32
    (B, L) -> the mean of -ln p over the words, float32: p is the share that all chains with the
    right tags have in all chains.

    A label is -1 where no word begins: such a token may have any tag, as when the best chain is
    looked for. It is -2 behind a text's end. Two halves of a text are put together as matrices, so
    that a graph has log2 L steps.
    """

    def construct(self, outputs: tuple[Tensor, Tensor], labels: Tensor) -> Tensor:
        """See the class."""
        scores, after = outputs
        tags = after.shape[0] - 2
        scores, after = scores[:, :, :tags].astype(ms.float32), after.astype(ms.float32)
        wanted = ops.expand_dims(labels, -1)
        others = ops.logical_and(wanted >= 0, wanted != ops.arange(tags).astype(ms.int32))
        right = ops.masked_fill(scores, others, _NEVER)
        real = labels != PADDING
        unlikely = _every_chain(scores, after, real) - _every_chain(right, after, real)
        asked = ops.sum((labels >= 0).astype(ms.float32))
        return ops.sum(unlikely) / ops.maximum(asked, 1.0)


def _every_chain(scores: Tensor, after: Tensor, real: Tensor) -> Tensor:
    """ln of the sum over all chains of tags, of scores (B, L, K): (B,)."""
    texts, length, tags = scores.shape
    start = ops.expand_dims(after[:tags, tags], 1)  # (K, 1): alike wherever it comes from
    between = ops.broadcast_to(ops.expand_dims(after[:tags, :tags], 0), (length - 1, tags, tags))
    begin = ops.broadcast_to(ops.expand_dims(start, 0), (1, tags, tags))
    steps = ops.expand_dims(ops.concat((begin, between), 0), 0) + ops.expand_dims(scores, -1)
    stay = (1.0 - ops.eye(tags, tags, ms.float32)) * _NEVER
    steps = ops.select(
        ops.broadcast_to(ops.reshape(real, (texts, length, 1, 1)), steps.shape),
        steps,
        ops.broadcast_to(stay, steps.shape),
    )
    while length > 1:
        if length % 2:
            last = ops.broadcast_to(stay, (texts, 1, tags, tags))
            steps = ops.concat((steps, last), 1)
            length += 1
        steps = _then(steps[:, 0::2], steps[:, 1::2])
        length //= 2
    ends = ops.reshape(after[tags + 1, :tags], (1, tags))
    return ops.logsumexp(steps[:, 0, :, 0] + ends, 1)


def _then(first: Tensor, second: Tensor) -> Tensor:
    """ln of the products of matrices whose ln are given, (…, to, from): `second` after `first`."""
    high, low = second.max(-1, keepdims=True), first.max(-2, keepdims=True)
    product = ops.matmul(ops.exp(second - high), ops.exp(first - low))
    return ops.log(ops.maximum(product, 1e-30)) + high + low
