"""Beam search: the likeliest sequences, a few followed at a time. NumPy alone, over any network.

The rules are those by which the models repository's Transformer was measured. N sentences, K
beams, V tokens, T tokens so far.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Ids: TypeAlias = NDArray[np.int32]
Floats: TypeAlias = NDArray[np.float32]
# Sequences so far, (N·K, T), the beams of a sentence together -> the logarithms of the
# probabilities of each next token, (N·K, V).
Step: TypeAlias = Callable[[Ids], Floats]

_NEVER = np.float32(-1e9)


@dataclass(frozen=True, slots=True)
class Search:
    """`width` beams of up to `steps` tokens after `start`; `end` finishes one. A beam's score is
    its log probability divided by ((length + 5) / 6) ** `length_penalty`."""

    start: int
    end: int
    width: int = 4
    steps: int = 80
    length_penalty: float = 1.0


@dataclass(frozen=True, slots=True)
class Beams:
    """What a search follows. `ids` (N, K, T) begin with the start token; `log_probabilities`,
    `lengths` (without the start, with the end) and `finished` are (N, K)."""

    ids: Ids
    log_probabilities: Floats
    lengths: Ids
    finished: NDArray[np.bool_]

    def scores(self, length_penalty: float) -> Floats:
        """(N, K), more is better."""
        penalty = ((self.lengths.astype(np.float32) + 5) / 6) ** np.float32(length_penalty)
        return (self.log_probabilities / penalty).astype(np.float32)


def beam_search(step: Step, sentences: int, search: Search) -> Beams:
    """Follow `search.width` beams of each of N sentences: ids (N, K, steps + 1), in the order of
    their last step; finished ones are filled up with the end token.

    Once all beams are finished no step changes anything, and none is made.
    """
    beams = _begin(sentences, search)
    for _ in range(search.steps):
        if beams.finished.all():
            break
        n, k, t = beams.ids.shape
        beams = advance(beams, step(beams.ids.reshape(n * k, t)).reshape(n, k, -1), search)
    missing = search.steps + 1 - beams.ids.shape[2]
    filled = np.pad(beams.ids, ((0, 0), (0, 0), (0, missing)), constant_values=search.end)
    return Beams(filled, beams.log_probabilities, beams.lengths, beams.finished)


def advance(beams: Beams, next_tokens: Floats, search: Search) -> Beams:
    """One step: `next_tokens` (N, K, V) are the log probabilities of each beam's next token."""
    n, k, vocabulary = next_tokens.shape
    totals = beams.log_probabilities[:, :, None] + next_tokens
    totals = np.where(beams.finished[:, :, None], totals + _NEVER, totals)
    best = _largest(totals.reshape(n, k * vocabulary), k)
    came_from, tokens = best // vocabulary, (best % vocabulary).astype(np.int32)
    scores = np.take_along_axis(totals.reshape(n, k * vocabulary), best, 1)

    # A finished beam keeps its slot, in which the worst candidates were: it stands last.
    slots = np.broadcast_to(np.arange(k), (n, k))
    came_from = np.where(beams.finished, slots, came_from)
    tokens = np.where(beams.finished, np.int32(search.end), tokens)
    scores = np.where(beams.finished, beams.log_probabilities, scores)

    live_first = _largest(np.where(tokens == search.end, _NEVER, scores), k)
    came_from = np.take_along_axis(came_from, live_first, 1)
    tokens = np.take_along_axis(tokens, live_first, 1)
    scores = np.take_along_axis(scores, live_first, 1)
    lengths = beams.lengths + ~beams.finished
    before = np.take_along_axis(beams.ids, came_from[:, :, None], 1)
    return Beams(
        np.concatenate([before, tokens[:, :, None]], 2),
        scores.astype(np.float32),
        np.take_along_axis(lengths, came_from, 1),
        tokens == search.end,
    )


def _begin(sentences: int, search: Search) -> Beams:
    """The start token in every beam; all but the first are too unlikely to be chosen."""
    shape = (sentences, search.width)
    scores = np.full(shape, _NEVER, np.float32)
    scores[:, 0] = 0
    return Beams(
        np.full((*shape, 1), search.start, np.int32),
        scores,
        np.zeros(shape, np.int32),
        np.zeros(shape, np.bool_),
    )


def _largest(values: Floats, count: int) -> NDArray[np.intp]:
    """The places of the `count` largest of each row, largest first; of equal ones the earlier."""
    return np.argsort(-values, axis=1, kind="stable")[:, :count]
