"""How sequences of token ids go on, and how well a network foretells them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from zoohub.errors import DataError
from zoohub.outputs.form import Array, Size, check_finite, shapes


@dataclass(frozen=True, slots=True)
class Continuations:
    """What follows each prompt: `tokens` is int (N, T), of which the first `counts` (N,) of a row
    are its own."""

    tokens: Array
    counts: Array

    def __post_init__(self) -> None:
        if (
            self.tokens.ndim != 2
            or self.tokens.dtype.kind != "i"
            or self.counts.shape != self.tokens.shape[:1]
        ):
            raise DataError(
                "expected tokens (N, T) and counts (N,); "
                f"got {self.tokens.dtype} {self.tokens.shape} and {self.counts.shape}"
            )

    def __len__(self) -> int:
        return len(self.tokens)

    def rows(self) -> list[list[int]]:
        """The tokens of each row."""
        return [row[:count].tolist() for row, count in zip(self.tokens, self.counts, strict=True)]


@dataclass(frozen=True, slots=True)
class TokenLosses:
    """How well each row's tokens were foretold: `sums` float (N,) of -ln p over the `counts` int
    (N,) that were asked for, of which `hits` (N,) were the likeliest."""

    sums: Array
    hits: Array
    counts: Array

    def __post_init__(self) -> None:
        check_finite(self.sums)
        if self.sums.ndim != 1 or not self.counts.shape == self.hits.shape == self.sums.shape:
            raise DataError(
                f"expected sums, hits and counts (N,); got {self.sums.shape}, {self.hits.shape} "
                f"and {self.counts.shape}"
            )

    def __len__(self) -> int:
        return len(self.sums)


def continuations(raw: Mapping[str, Array], size: Size) -> Continuations | TokenLosses:
    """The outputs `tokens` and `counts` of what writes, or `sums`, `hits` and `counts` of what
    foretells.

    Raises:
        DataError: they are others.
    """
    if {"sums", "hits", "counts"} <= raw.keys():
        return TokenLosses(raw["sums"], raw["hits"], raw["counts"])
    if not {"tokens", "counts"} <= raw.keys():
        raise DataError(f"expected the tokens and counts of continuations; got {shapes(raw)}")
    return Continuations(raw["tokens"], raw["counts"])
