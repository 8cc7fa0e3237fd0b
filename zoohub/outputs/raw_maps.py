"""A detector's raw maps decoded in NumPy, for files that were exported without decoding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from zoohub.errors import DataError
from zoohub.outputs.box_decoding import BoxDecoding, Level
from zoohub.outputs.boxes import Boxes, packed_boxes
from zoohub.outputs.form import Array, Size, sigmoid


def raw_maps(raw: Mapping[str, Array], size: Size, how: BoxDecoding) -> Boxes:
    """The boxes that a network's outputs, all of them raw maps, stand for.

    Raises:
        DataError: as `decode_maps`.
    """
    return packed_boxes({"predictions": decode_maps(tuple(raw.values()), how)}, size)


def decode_maps(maps: Sequence[Array], how: BoxDecoding) -> NDArray[np.float32]:
    """The boxes and scores that a detector's maps stand for.

    Args:
        maps: one a level, float32 before the sigmoid: (N, A, H, W, 5 + classes), or
            (N, H, W, A, 5 + classes) where `how.anchor_axis` is 3.
        how: strides, anchors and rules of the network that made them.

    Returns:
        float32 (N, sum of A·H·W, 5 + classes): centre x, centre y, width, height in pixels of the
        input, objectness, class scores in 0..1.

    Raises:
        DataError: the maps are not of these levels.
    """
    wanted = [len(level.anchors) for level in how.levels]
    found = [m.shape[how.anchor_axis] if m.ndim == 5 else None for m in maps]
    if found != wanted:
        shapes = ", ".join(str(m.shape) for m in maps)
        raise DataError(f"expected {len(wanted)} maps of {wanted} anchors a cell; got {shapes}")
    return np.concatenate(
        [_decode(m, level, how) for m, level in zip(maps, how.levels, strict=True)], axis=1
    )


def _decode(raw: Array, level: Level, how: BoxDecoding) -> NDArray[np.float32]:
    cells_first = how.anchor_axis == 3
    raw = raw.astype(np.float32, copy=False)
    rows = raw if cells_first else raw.transpose(0, 2, 3, 1, 4)
    height, width = rows.shape[1:3]
    scores = sigmoid(rows)
    cells = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1)
    shift = (level.xy_scale - 1) / 2
    centres = (scores[..., :2] * level.xy_scale - shift + cells[:, :, None]) * level.stride
    factor = (
        np.exp(rows[..., 2:4]) if how.size_rule == "exponential" else (2 * scores[..., 2:4]) ** 2
    )
    sides = factor * np.array(level.anchors, np.float32)
    boxes = np.concatenate([centres, sides, scores[..., 4:]], axis=-1).astype(np.float32)
    if not cells_first:
        boxes = boxes.transpose(0, 3, 1, 2, 4)
    flat: NDArray[np.float32] = boxes.reshape(len(boxes), -1, boxes.shape[-1])
    return flat
