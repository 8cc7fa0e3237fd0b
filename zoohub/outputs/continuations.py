"""How sequences of token ids go on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from zoohub.errors import DataError
from zoohub.outputs.form import Array, Size, shapes


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


def continuations(raw: Mapping[str, Array], size: Size) -> Continuations:
    """The outputs `tokens` and `counts` of what writes.

    Raises:
        DataError: they are others.
    """
    if not {"tokens", "counts"} <= raw.keys():
        raise DataError(f"expected the tokens and counts of continuations; got {shapes(raw)}")
    return Continuations(raw["tokens"], raw["counts"])
