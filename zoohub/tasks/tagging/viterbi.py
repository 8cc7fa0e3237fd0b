"""The best chain of tags under a conditional random field (Lafferty et al. 2001; Viterbi 1967),
and how unlikely the right tags are."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from zoohub.outputs.form import Array


def best_chain(scores: Array, after: Array) -> tuple[list[int], float]:
    """The tags of a text's tokens and their probability, of scores (L, K + 2) and `after`
    (K + 2, K + 2), whose row t, column s is the score of tag t after s; the last two tags are a
    text's start and end, which no token has."""
    tags = scores.shape[1] - 2
    start, end = tags, tags + 1
    emitted = scores[:, :tags].astype(np.float64)
    between = after[:tags, :tags].astype(np.float64)
    best = emitted[0] + after[:tags, start]
    every = best.copy()  # the logarithm of the sum over all chains
    came_from = []
    for row in emitted[1:]:
        paths = best + between  # (to, from)
        came_from.append(paths.argmax(1))
        best = paths.max(1) + row
        every = np.logaddexp.reduce(every + between, axis=1) + row
    last = best + after[end, :tags]
    total = np.logaddexp.reduce(every + after[end, :tags])
    chain = [int(last.argmax())]
    for step in reversed(came_from):
        chain.append(int(step[chain[-1]]))
    return chain[::-1], float(np.exp(last.max() - total))


def chain_loss(scores: Array, after: Array, right: Mapping[int, int]) -> float:
    """-ln of the share that the chains with the tags `right`, by the tokens' places, have in all
    chains; scores as `best_chain` takes them. Other tokens may have any tag."""
    tags = scores.shape[1] - 2
    emitted = scores[:, :tags].astype(np.float64)
    held = np.full_like(emitted, -np.inf)
    for place, row in enumerate(emitted):
        chosen = slice(None) if place not in right else slice(right[place], right[place] + 1)
        held[place, chosen] = row[chosen]
    return _every(emitted, after, tags) - _every(held, after, tags)


def _every(emitted: Array, after: Array, tags: int) -> float:
    """The logarithm of the sum over all chains."""
    between = after[:tags, :tags].astype(np.float64)
    sums = emitted[0] + after[:tags, tags]
    for row in emitted[1:]:
        sums = np.logaddexp.reduce(sums + between, axis=1) + row
    return float(np.logaddexp.reduce(sums + after[tags + 1, :tags]))
