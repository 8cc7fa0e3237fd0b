"""Pieces of text, words or lines, where they were found in pictures and as they were read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class TextPiece:
    """A piece of text. `polygon` is (N, 2), x and y in pixels of the upright picture, clockwise;
    `score` how sure its reading is, 0 to 1; `turned` by how many quarter turns clockwise its
    letters stand in the picture: 1 reads downwards, 2 stands on its head."""

    polygon: NDArray[np.float64]
    text: str
    score: float
    turned: int = 0


@dataclass(frozen=True, slots=True)
class TextPieces:
    """The pieces of each picture of a batch, in no order."""

    pictures: tuple[tuple[TextPiece, ...], ...]

    def __len__(self) -> int:
        return len(self.pictures)
