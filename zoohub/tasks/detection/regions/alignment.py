"""What regions of a picture look like on a pyramid's maps (RoIAlign), in NumPy.

Source: He et al., "Mask R-CNN" (2017), in the numerics of MindSpore's `ROIAlign`, and of Lin et
al., "Feature Pyramid Networks" (2017), for the choice of the map.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

STRIDES = (4, 8, 16, 32)
_FINEST = 56  # pixels: a region twice as large is looked for on the next map
SAMPLES = 2  # of a cell and side
_CHUNK = 128  # regions at a time


def region_features(
    maps: Sequence[NDArray[np.float32]],
    boxes: NDArray[np.float32],
    cells: int,
    last_pixel: bool = False,
) -> NDArray[np.float32]:
    """The features of regions: (n, channels, cells, cells).

    Args:
        maps: of one picture, (channels, h, w), for each of `STRIDES`.
        boxes: (n, 4), `x1 y1 x2 y2` in pixels of the input.
        cells: of a region's features, in height and width.
        last_pixel: whether the last pixel belongs to a region: `ROIAlign`'s `roi_end_mode` 1.
    """
    result = np.empty((len(boxes), len(maps[0]), cells, cells), np.float32)
    levels = _levels(boxes)
    ends, least = _ends(boxes, last_pixel)
    for level, (features, stride) in enumerate(zip(maps, STRIDES, strict=True)):
        by_pixel = np.ascontiguousarray(features.transpose(1, 2, 0))
        own = np.flatnonzero(levels == level)
        for start in range(0, len(own), _CHUNK):
            chosen = own[start : start + _CHUNK]
            result[chosen] = _aligned(by_pixel, ends[chosen] / np.float32(stride), cells, least)
    return result


def map_features(
    features: NDArray[np.float32],
    stride: int,
    boxes: NDArray[np.float32],
    cells: int,
    samples: int = SAMPLES,
    last_pixel: bool = False,
) -> NDArray[np.float32]:
    """The features of regions on one map (channels, h, w) at 1/`stride`, with so many samples a
    cell and side: (n, channels, cells, cells). Boxes and `last_pixel` are those of
    `region_features`."""
    by_pixel = np.ascontiguousarray(features.transpose(1, 2, 0))
    ends, least = _ends(boxes, last_pixel)
    return _aligned(by_pixel, ends / np.float32(stride), cells, least, samples)


def _ends(boxes: NDArray[np.float32], last_pixel: bool) -> tuple[NDArray[np.float32], float]:
    """Where boxes end, and how many pixels of a map they count at least."""
    if last_pixel:
        return boxes + np.array([0, 0, 1, 1], np.float32), 0.0
    return boxes, 1.0


def _levels(boxes: NDArray[np.float32]) -> NDArray[np.int64]:
    """Which map each region is looked for on."""
    sides = np.sqrt(boxes[:, 2:] - boxes[:, :2] + 1)
    levels = np.floor(np.log2(sides[:, 0] * sides[:, 1] / _FINEST + 1e-6))
    return np.clip(levels, 0, len(STRIDES) - 1).astype(np.int64)


def _aligned(
    by_pixel: NDArray[np.float32],
    boxes: NDArray[np.float32],
    cells: int,
    least: float,
    samples: int = SAMPLES,
) -> NDArray[np.float32]:
    """The regions' cells (n, channels, cells, cells), each the mean of its samples, of a map
    (h, w, channels); boxes are in its pixels, and count as `least` pixels wide and high at least.

    A cell's samples lie on a grid, so that their mean is a sum over rows of sums over columns.
    """
    height, width, channels = by_pixel.shape
    down = _weights(boxes[:, 1], boxes[:, 3], cells, height, least, samples)
    across = _weights(boxes[:, 0], boxes[:, 2], cells, width, least, samples)
    found = np.empty((len(boxes), channels, cells, cells), np.float32)
    for place, ((top, bottom, rows), (left, right, columns)) in enumerate(
        zip(_used(down), _used(across), strict=True)
    ):
        window = by_pixel[top:bottom, left:right].reshape(bottom - top, -1)
        summed = (rows @ window).reshape(cells, right - left, channels)
        found[place] = (columns @ summed).transpose(2, 0, 1)
    return found


def _used(
    weights: NDArray[np.float32],
) -> Iterator[tuple[int, int, NDArray[np.float32]]]:
    """Of each region the first pixel with a weight, the one after the last, and the weights (cells,
    pixels) from there to there; one pixel where none has any."""
    some = weights.any(axis=1)
    first = some.argmax(axis=1)
    after = some.shape[1] - some[:, ::-1].argmax(axis=1)
    for own, start, end in zip(weights, first.tolist(), after.tolist(), strict=True):
        end = max(start + 1, end) if own.any() else start + 1
        yield start, end, own[:, start:end]


def _weights(
    start: NDArray[np.float32],
    end: NDArray[np.float32],
    cells: int,
    length: int,
    least: float,
    samples: int,
) -> NDArray[np.float32]:
    """Along one axis of `length` pixels: what each counts for each cell, (n, cells, length). What
    lies more than a pixel outside counts nothing."""
    side = np.maximum(end - start, np.float32(least)) / cells
    steps = (np.arange(cells * samples) + 0.5) / samples
    at = start[:, None] + steps.astype(np.float32) * side[:, None]
    outside = (at < -1) | (at > length)
    at = np.clip(at, 0, None)
    low = np.minimum(at.astype(np.int64), length - 1)
    high = np.minimum(low + 1, length - 1)
    share = np.where(low >= length - 1, 0, at - low).astype(np.float32)
    found = np.zeros((len(start), cells * samples, length), np.float32)
    region, sample = np.indices(at.shape)
    np.add.at(found, (region, sample, low), np.where(outside, 0, 1 - share))
    np.add.at(found, (region, sample, high), np.where(outside, 0, share))
    return found.reshape(len(start), cells, samples, length).mean(axis=2)
