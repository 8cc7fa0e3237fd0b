"""Pictures with labels, as every data source gives them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Samples:
    """Pictures (paths, or uint8 arrays of shape (H, W) or (H, W, 3)) and their class indices."""

    images: Sequence[Path | NDArray[np.uint8]]
    labels: NDArray[np.int64]
    names: Sequence[str]

    def __len__(self) -> int:
        return len(self.images)

    def take(self, indices: Sequence[int] | NDArray[np.int64]) -> Samples:
        """Only the samples at these places, in this order."""
        return Samples(
            [self.images[i] for i in indices],
            self.labels[np.asarray(indices, dtype=np.int64)],
            [self.names[i] for i in indices],
        )


@dataclass(frozen=True)
class Splits:
    """The parts of a data set; `skipped` maps what was left out to the reason, `warnings` are
    sentences for the user."""

    classes: tuple[str, ...]
    train: Samples
    validation: Samples
    test: Samples
    skipped: dict[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def identity(self) -> Iterator[bytes]:
        """What makes two copies of the data the same to train on, wherever they are."""
        yield from map(os.fsencode, self.classes)
        for part in (self.train, self.validation, self.test):
            yield from bare_names(part.names)
            yield part.labels.tobytes()


def bare_names(names: Sequence[str]) -> Iterator[bytes]:
    """The files' names without their folders."""
    return (os.fsencode(Path(name).name) for name in names)
