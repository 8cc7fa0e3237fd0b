"""What taggers are trained with: the cross entropy of each word's tag, or how unlikely the right
chain of tags is.

Source of the latter: Lafferty et al., "Conditional Random Fields" (2001). Shapes: B texts of L
tokens, K tags.
"""

from __future__ import annotations

import mindspore as ms
from mindspore import Tensor, nn, ops

from zoohub.tasks.tagging.training_rows import PADDING

_NEVER = -1e4  # the score of what cannot be


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
        scores, after = outputs[0].astype(ms.float32), outputs[1].astype(ms.float32)
        tags = after.shape[0] - 2
        # Gathered, because MindSpore's gradient of slices fails on a CPU (StridedSliceGrad).
        own = ops.arange(tags)
        scores = ops.gather(scores, own, 2)
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
    own = ops.arange(tags)
    to_tags = ops.gather(after, own, 0)
    start = ops.gather(to_tags, ops.full_like(own, tags), 1)  # alike wherever it comes from
    between = ops.broadcast_to(
        ops.expand_dims(ops.gather(to_tags, own, 1), 0), (length - 1, tags, tags)
    )
    steps = ops.concat((ops.expand_dims(start, 0), between), 0)
    steps = ops.expand_dims(steps, 0) + ops.expand_dims(scores, -1)
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
        length //= 2
        first, second = ops.unstack(ops.reshape(steps, (texts, length, 2, tags, tags)), 2)
        steps = _then(first, second)
    ends = ops.gather(
        ops.gather(after, ops.full_like(own, tags + 1), 0), own, 1
    )  # alike in each row
    found = ops.reshape(ops.mean(steps, -1), (texts, tags))  # all columns are alike
    return ops.logsumexp(found + ops.expand_dims(ops.mean(ends, 0), 0), 1)


def _then(first: Tensor, second: Tensor) -> Tensor:
    """ln of the products of matrices whose ln are given, (…, to, from): `second` after `first`."""
    high, low = second.max(-1, keepdims=True), first.max(-2, keepdims=True)
    product = ops.matmul(ops.exp(second - high), ops.exp(first - low))
    return ops.log(ops.maximum(product, 1e-30)) + high + low
