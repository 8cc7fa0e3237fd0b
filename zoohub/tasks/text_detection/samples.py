"""What is true of a picture with text: outlines, and which of them do not count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zoohub.tasks.samples import Samples


@dataclass(frozen=True)
class Texts:
    """The texts in a picture: `corners` is float32 (sum of counts, 2), x and y in pixels of the
    upright picture, one text after the other, of which each has `counts` (n,). `ignored` (n,) are
    those that nobody can read: they are neither learnt nor counted."""

    corners: NDArray[np.float32]
    counts: NDArray[np.int64]
    ignored: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.counts)

    @property
    def polygons(self) -> list[NDArray[np.float32]]:
        """The corners (corners, 2) of each."""
        return np.split(self.corners, np.cumsum(self.counts)[:-1]) if len(self) else []


TextSamples: TypeAlias = Samples[Texts]


def texts_of(polygons: Sequence[ArrayLike], ignored: Sequence[bool]) -> Texts:
    """`Texts` from one (corners, 2) a text."""
    corners = [np.asarray(polygon, np.float32).reshape(-1, 2) for polygon in polygons]
    return Texts(
        np.concatenate([np.zeros((0, 2), np.float32), *corners]),
        np.array([len(each) for each in corners], np.int64),
        np.array(ignored, np.bool_),
    )


def text_count(samples: TextSamples) -> int:
    """Texts in all pictures, but for those that do not count."""
    return sum(int((~texts.ignored).sum()) for texts in samples.targets)
