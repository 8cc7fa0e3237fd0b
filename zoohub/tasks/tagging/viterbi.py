"""The best chain of tags under a conditional random field (Lafferty et al. 2001; Viterbi 1967)."""

from __future__ import annotations

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
