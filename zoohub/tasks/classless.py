"""The part of a task's contract that is about classes, for tasks that have none."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from zoohub.tasks.samples import Samples

T = TypeVar("T")


class Classless:
    """Stands before `Task` in the bases of a task without classes."""

    has_classes = False

    def present(self, samples: Samples[T]) -> Iterable[int]:
        """None."""
        return ()

    def renumbered(self, samples: Samples[T], places: NDArray[np.int64]) -> Samples[T]:
        """As they are."""
        return samples
