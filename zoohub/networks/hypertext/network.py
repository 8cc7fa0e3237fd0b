"""HyperText, a classifier of bags of words and word sequences in hyperbolic space.

Source: Zhu et al., "HyperText: Endowing FastText with Hyperbolic Geometry" (2020). Parameter names
are those of the models repository (research/nlp/hypertext). The space is the Poincaré ball of
curvature -1; points are rows of the last axis.
"""

from __future__ import annotations

from mindspore import Parameter, Tensor, nn, ops
from mindspore.common.initializer import Normal, XavierUniform, initializer

LEAST = 1e-15  # of a norm that is divided by
BORDER = 1e-5  # that points keep from the ball's


def squared(x: Tensor) -> Tensor:
    """The squared norm of each row, its axis kept."""
    return ops.square(x).sum(-1, keepdims=True)


def norm(x: Tensor) -> Tensor:
    """The norm of each row, its axis kept; above zero."""
    return ops.sqrt(squared(x)).clip(LEAST, None)


def midpoint(points: Tensor) -> Tensor:
    """The middle (B, C) of points (B, N, C), weighted in Klein's model of the same space."""
    klein = 2.0 * points / (1.0 + squared(points))
    weights = 1.0 / (1.0 - squared(klein))
    mean = (klein * weights).sum(1) / weights.sum(1)
    return mean / (1.0 + ops.sqrt(1.0 - squared(mean)))


def add(x: Tensor, y: Tensor) -> Tensor:
    """The sum of two points, after Möbius."""
    product = 2.0 * (x * y).sum(-1, keepdims=True)
    x2, y2 = squared(x), squared(y)
    total = (1.0 + product + y2) * x + (1.0 - x2) * y
    return total / (1.0 + product + x2 * y2)


def to_ball(x: Tensor) -> Tensor:
    """The point that a tangent vector at the origin leads to."""
    length = norm(x)
    return ops.tanh(length) * x / length


def to_tangent(x: Tensor) -> Tensor:
    """The tangent vector at the origin that leads to a point."""
    length = norm(x)
    inside = length.clip(None, 1.0 - BORDER)
    return 0.5 * ops.log((1.0 + inside) / (1.0 - inside)) * x / length


class HyperbolicDense(nn.Cell):
    """A matrix and a Möbius sum with the bias: (B, C) -> (B, out_channels)."""

    def __init__(self, channels: int, out_channels: int) -> None:
        super().__init__()
        self.bias = Parameter(initializer("zeros", (1, out_channels)))
        self.weight = Parameter(initializer(XavierUniform(), (out_channels, channels)))

    def construct(self, x: Tensor) -> Tensor:
        return add(ops.matmul(x, self.weight.T), to_ball(self.bias))


class HyperText(nn.Cell):
    """ids (B, L), ngrams (B, M) -> logits (B, num_classes). Arguments are those of `hypertext`."""

    def __init__(self, vocab_size: int, ngrams: int, embed_dim: int, num_classes: int) -> None:
        super().__init__()
        self.embedding = Parameter(initializer(Normal(0.01), (vocab_size, embed_dim)))
        self.embedding_wordngram = Parameter(initializer(Normal(0.01), (ngrams, embed_dim)))
        self.hyperLinear = HyperbolicDense(embed_dim, num_classes)

    def construct(self, ids: Tensor, ngrams: Tensor) -> Tensor:
        words = ops.gather(self.embedding, ids, 0)
        points = ops.concat((words, ops.gather(self.embedding_wordngram, ngrams, 0)), 1)
        return to_tangent(self.hyperLinear(midpoint(points)))


def hypertext(
    vocab_size: int = 5000, ngrams: int = 1500000, embed_dim: int = 20, num_classes: int = 15
) -> HyperText:
    """HyperText: ids int32 (B, L), ngrams int32 (B, M) -> logits (B, num_classes).

    Args:
        vocab_size: words; the training data makes the vocabulary.
        ngrams: buckets into which word sequences are hashed: 1500000 (TNEWS), 2000000 (iFLYTEK).
        embed_dim: channels of both: 20, 80.
        num_classes: outputs of the classifier: 15, 119.
    """
    return HyperText(vocab_size, ngrams, embed_dim, num_classes)
