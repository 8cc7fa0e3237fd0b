"""What the angle classifier gives, as class scores."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from zoohub.outputs.class_scores import ClassScores
from zoohub.outputs.form import Array, Size, only


def probabilities(raw: Mapping[str, Array], size: Size) -> ClassScores:
    """The logarithms of the probabilities: their softmax gives these again.

    Raises:
        DataError: the network gives something else.
    """
    found = only(raw, "probabilities", "one probability a class, (N, classes)")
    return ClassScores(np.log(np.maximum(found, np.finfo(found.dtype).tiny)))
