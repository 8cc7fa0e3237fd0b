"""What the face detector's outputs mean."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from zoohub.errors import DataError
from zoohub.outputs.boxes import Boxes
from zoohub.outputs.form import Array, Size, shapes


def faces(raw: Mapping[str, Array], size: Size) -> Boxes:
    """Boxes (N, A, cells, 4) as fractions and scores (N, A, cells), level by level -> boxes.

    Raises:
        DataError: the network gives something else.
    """
    arrays = list(raw.values())
    boxes, scores = arrays[0::2], arrays[1::2]
    right = len(arrays) % 2 == 0 and all(
        box.ndim == 4 and box.shape == (*score.shape, 4)
        for box, score in zip(boxes, scores, strict=False)
    )
    if not right:
        raise DataError(f"expected boxes and scores of each level; the network gives {shapes(raw)}")
    count = len(arrays[0])
    fractions = np.concatenate([box.reshape(count, -1, 4) for box in boxes], 1)
    pixels = fractions * np.array([size[1], size[0]] * 2, np.float32)
    flat = np.concatenate([score.reshape(count, -1) for score in scores], 1)
    return Boxes(pixels.astype(np.float32), None, flat[..., None].astype(np.float32))
