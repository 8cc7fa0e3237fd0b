"""Attention in which no token sees those after it. Shapes: B rows of L tokens, H heads of D
channels; P tokens of the past, whose keys and values are known."""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
from mindspore import Tensor, nn, ops
from mindspore.ops import functional
from numpy.typing import NDArray

from zoohub.networks.layers.attention import scores, weighted_sum

HIDDEN = -1e9  # the score of what is not seen
ROUNDED_TO = 64  # the past is filled up to a multiple of this, so that few shapes come up

# A layer's keys and values, (B, H, P, D) each.
Memory: TypeAlias = tuple[Tensor, Tensor]
# Those of all layers, one after another.
Past: TypeAlias = tuple[Tensor, ...]


class Places(nn.Cell):
    """Numbers tokens from 0; `longest` tokens at most."""

    def __init__(self, longest: int) -> None:
        super().__init__()
        self.longest = longest
        self.numbers = Tensor(np.arange(longest, dtype=np.int32))

    def construct(self, length: int) -> Tensor:
        """The numbers of `length` tokens, int32 (L,).

        Raises:
            ValueError: there are more than `longest`. A graph for any length cannot say so, and
                fails where the numbers meet the tokens.
        """
        if functional.isconstant(length) and length > self.longest:
            raise ValueError(f"{length} tokens are more than the {self.longest} that this takes")
        return self.numbers[:length]


class Order(nn.Cell):
    """Where tokens stand, and what each must not see; `longest` tokens of a row at most."""

    def __init__(self, longest: int) -> None:
        super().__init__()
        self.places = Places(longest)
        self.numbers = Tensor(np.arange(longest + ROUNDED_TO, dtype=np.int32))

    def construct(
        self, ids: Tensor, counts: Tensor | None = None, past: Past | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Of ids (B, L): their places (L,), the places of what they see (L,), and what is hidden
        from each, bool (L, L).

        After a `past`, of which the first `counts` (B,) tokens are each row's own: (B, L), (B, P +
        L), and (B, 1, L, P + L); what fills the past up is hidden.
        """
        if past is None:
            places = self.places(ids.shape[1])
            return places, places, future(places)
        rows, length = ids.shape
        numbers = self.numbers[:length]
        kept = past[0].shape[-2]
        before = self.numbers[:kept]
        counts = ops.expand_dims(counts, -1)
        places = counts + numbers
        filling = ops.expand_dims(ops.expand_dims(before >= counts, 1), 1)
        known = (rows, 1, length, kept)
        later = ops.broadcast_to(future(numbers), (rows, 1, length, length))
        hidden = ops.concat((ops.broadcast_to(filling, known), later), -1)
        seen = ops.concat((ops.broadcast_to(before, (rows, kept)), places), -1)
        return places, seen, hidden


def future(places: Tensor) -> Tensor:
    """What each token must not see, bool (L, L), by the numbers of the tokens."""
    return ops.expand_dims(places, 0) > ops.expand_dims(places, 1)


def layer_past(past: Past | None, number: int) -> Memory | None:
    """What layer `number` has of a network's past."""
    if past is None:
        return None
    return past[2 * number], past[2 * number + 1]


def unstacked(past: Tensor) -> Past:
    """All layers' keys and values (B, 2 · layers, H, P, D), by one operator: as many slices would
    take longer than attention does."""
    layers: Past = ops.unstack(past, 1)
    return layers


def recalled(key: Tensor, value: Tensor, past: Memory | None) -> Memory:
    """Keys and values after those of the past: (B, H, P + L, D)."""
    if past is None:
        return key, value
    keys = ops.concat((past[0].astype(key.dtype), key), 2)
    return keys, ops.concat((past[1].astype(value.dtype), value), 2)


def repeated(x: Tensor, num_heads: int) -> Tensor:
    """Keys or values (B, H, L, D) as `num_heads` heads, each H repeated as often."""
    heads = x.shape[1]
    return x if heads == num_heads else ops.repeat_interleave(x, num_heads // heads, 1)


def attend_past(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    scale: float,
    hidden: Tensor,
    bias: Tensor | None = None,
) -> Tensor:
    """softmax(scale · query · keyᵀ + bias) · value over what is not `hidden`: (B, H, L, D).

    Fewer heads of keys and values serve several of queries each.
    """
    key, value = repeated(key, query.shape[1]), repeated(value, query.shape[1])
    found = scores(query * scale, key)
    if bias is not None:
        found = found + bias
    return weighted_sum(ops.softmax(ops.masked_fill(found, hidden, HIDDEN), -1), value)


def alibi_slopes(num_heads: int) -> NDArray[np.float32]:
    """How much each head prefers what is near: float32 (H, 1, 1), to be multiplied with places.

    Source: Press et al., "Train Short, Test Long" (2022). Where H is no power of two, the heads
    beyond the last power take every other slope of twice as many.
    """
    whole = 2 ** int(math.log2(num_heads))
    slopes = [2.0 ** (-8.0 * (head + 1) / whole) for head in range(whole)]
    slopes += [2.0 ** (-4.0 * (2 * head + 1) / whole) for head in range(num_heads - whole)]
    return np.asarray(slopes, np.float32).reshape(-1, 1, 1)


def alibi(slopes: Tensor, seen: Tensor) -> Tensor:
    """What is added to the scores of tokens at the places `seen` (L,) or (B, L): (H, 1, L) or
    (B, H, 1, L)."""
    return slopes * ops.expand_dims(ops.expand_dims(seen, -2), -2).astype(slopes.dtype)
