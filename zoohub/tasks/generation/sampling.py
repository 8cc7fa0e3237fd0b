"""Which token comes next, of the scores that a network gives to all V of them. NumPy alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Sampling:
    """How a token is drawn: at `temperature` 0 it is the likeliest. Else the scores are divided by
    it, the `top_k` likeliest stay, and of these the fewest that have `top_p` of the probability
    together (Holtzman et al., "The Curious Case of Neural Text Degeneration", 2019)."""

    temperature: float = 0.0
    top_k: int | None = None
    top_p: float | None = None


def next_token(scores: Floats, sampling: Sampling, random: np.random.Generator) -> int:
    """A token by its scores (V,), logits; of equally likely ones the first is the likelier."""
    if sampling.temperature == 0:
        return int(scores.argmax())
    tokens, shares = candidates(scores, sampling)
    return int(random.choice(tokens, p=shares))


def candidates(scores: Floats, sampling: Sampling) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """What is drawn from: tokens, likeliest first, and the probability of each; they sum to 1."""
    tokens = np.argsort(-scores, kind="stable")[: sampling.top_k]
    # The best is taken away first: a tiny temperature would overflow.
    # What still does goes to -inf, the share 0.
    with np.errstate(over="ignore"):
        exponents = (scores[tokens].astype(np.float64) - float(scores.max())) / sampling.temperature
    shares = np.exp(exponents)
    shares /= shares.sum()
    if sampling.top_p is not None:
        before = np.cumsum(shares) - shares
        kept = max(1, int((before < sampling.top_p).sum()))
        tokens, shares = tokens[:kept], shares[:kept] / shares[:kept].sum()
    return tokens, shares
