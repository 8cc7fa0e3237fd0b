"""Sequences of token ids, of which a search followed several at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from zoohub.errors import DataError
from zoohub.outputs.form import Array, Size, shapes


@dataclass(frozen=True, slots=True)
class Sequences:
    """`ids` is int (N, beams, length) from the start token on, filled up with the end token;
    `scores` float (N, beams), more is better."""

    ids: Array
    scores: Array

    def __post_init__(self) -> None:
        if (
            self.ids.ndim != 3
            or self.ids.dtype.kind != "i"
            or self.scores.shape != (self.ids.shape[:2])
        ):
            raise DataError(
                "expected ids (N, beams, length) and scores (N, beams); "
                f"got {self.ids.dtype} {self.ids.shape} and {self.scores.shape}"
            )

    def __len__(self) -> int:
        return len(self.ids)


def sequences(raw: Mapping[str, Array], size: Size) -> Sequences:
    """The outputs `ids` and `scores` of a search.

    Raises:
        DataError: they are others.
    """
    if not {"ids", "scores"} <= raw.keys():
        raise DataError(f"expected the ids and scores of a search; got {shapes(raw)}")
    return Sequences(raw["ids"], raw["scores"])
