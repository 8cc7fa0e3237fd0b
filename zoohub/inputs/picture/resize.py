"""Resampling as MindSpore's dataset pipeline and OpenCV do it, in NumPy.

Publishers evaluated their checkpoints with `mindspore.dataset.vision.Resize` (mindcv, the models
repository) or `cv2.resize` (mindyolo), which are one algorithm: no antialiasing when shrinking,
11-bit fixed-point weights. Pillow's filters widen their support when shrinking and differ from it
by up to a dozen grey levels; this module is OpenCV's, bit for bit, where it is bilinear, and else
differs by one level at most, and mostly not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from zoohub.inputs.picture.opencv import opencv_resize

Interpolation = Literal["nearest", "bilinear", "bicubic", "area"]
Pixels = NDArray[np.uint8]
# For every output position: the source positions it reads, (out, taps), and their weights.
_Taps = tuple[NDArray[np.intp], NDArray[np.int32]]
_Lines = NDArray[np.int32]
# Rows and columns of a resampled picture, those that a crop keeps.
Window: TypeAlias = tuple[slice, slice]

WHOLE: Window = (slice(None), slice(None))

_FIXED_POINT = 2048  # weights carry 11 bits after the point
_BLOCK = 32  # rows of the result at a time
_MOST_CUT_OFF = 4  # OpenCV computes the whole: times what is kept of it, where that pays
_CUBIC_A = -0.75  # OpenCV's bicubic coefficient; Pillow has -0.5


def resize(
    picture: Pixels,
    height: int,
    width: int,
    interpolation: Interpolation,
    window: Window = WHOLE,
    opencv: bool = False,
) -> Pixels:
    """Resample an (H, W, C) uint8 picture to (height, width, C), or to a window of that: nothing
    else is computed. With `opencv` OpenCV itself resamples bilinearly, where it is installed, gives
    the same and a window keeps a quarter at least.

    `area` averages the covered source pixels where both sides shrink, and is `bilinear` otherwise.
    """
    shrinks = height <= picture.shape[0] and width <= picture.shape[1]
    if picture.shape[:2] == (height, width):
        whole = picture
    elif interpolation == "nearest":
        return _nearest(picture, height, width, window)
    elif interpolation == "area" and shrinks:
        halves = picture.shape[:2] == (2 * height, 2 * width)
        whole = _halved(picture) if halves else _area(picture, height, width)
    elif interpolation == "bicubic":
        down = _cubic_taps(len(picture), height, window[0])
        across = _cubic_taps(picture.shape[1], width, window[1])
        return _fixed_point(picture, down, across, _finish_cubic)
    elif opencv and height * width <= _MOST_CUT_OFF * _pixels(window, height, width):
        whole = opencv_resize(_linear)(picture, height, width)
    else:
        return _linear(picture, height, width, window)
    return whole[window]


def _linear(picture: Pixels, height: int, width: int, window: Window = WHOLE) -> Pixels:
    down = _linear_down(len(picture), height, window[0])
    across = _linear_taps(picture.shape[1], width, window[1])
    return _fixed_point(picture, down, across, _finish_linear)


def resize_values(values: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
    """Resample (H, W, C) of any numbers to (height, width, C), bilinear as OpenCV does."""
    rows, row_weights = _linear_positions(values.shape[0], height)
    columns, column_weights = _linear_positions(values.shape[1], width)
    across = sum(
        values[:, column] * weight[None, :, None]
        for column, weight in zip(columns.T, column_weights.T, strict=True)
    )
    result: NDArray[np.float32] = sum(
        across[row] * weight[:, None, None]
        for row, weight in zip(rows.T, row_weights.T, strict=True)
    )
    return result


def _fixed_point(
    picture: Pixels,
    down: _Taps,
    taps: _Taps,
    finish: Callable[[list[_Lines], NDArray[np.int32]], _Lines],
) -> Pixels:
    """Interpolate along the rows in integers, then let `finish` combine them down the columns.

    A row that several rows of the result read is interpolated once, and few rows at a time, which
    stay in the processor's cache.
    """
    channels = picture.shape[2]
    flat = picture.reshape(len(picture), -1)  # (H, W * C): NumPy is slow on axes of length 3
    rows, row_weights = down
    columns, column_weights = taps
    height, width = len(rows), len(columns)
    across = [
        (_interleaved(column, channels), weight.repeat(channels))
        for column, weight in zip(columns.T, column_weights.T, strict=True)
    ]
    result = np.empty((height, width * channels), np.uint8)
    for start in range(0, height, _BLOCK):
        block = slice(start, start + _BLOCK)
        read, places = np.unique(rows[block], return_inverse=True)
        source = flat.take(read, axis=0)
        line = np.zeros((len(read), width * channels), np.int32)
        for column, weight in across:
            line += np.multiply(source.take(column, axis=1), weight, dtype=np.int32)
        tapped = places.reshape(rows[block].shape).T
        result[block] = finish([line.take(tap, axis=0) for tap in tapped], row_weights[block])
    return result.reshape(height, width, channels)


def _interleaved(columns: NDArray[np.intp], channels: int) -> NDArray[np.intp]:
    """Positions in a flattened row of all channels of these columns."""
    return (columns[:, None] * channels + np.arange(channels)).ravel()


def _finish_linear(lines: list[_Lines], weights: NDArray[np.int32]) -> _Lines:
    # OpenCV rounds each product down before it adds; the result is bit-equal only like this.
    for tap, line in enumerate(lines):
        line >>= 4
        line *= weights[:, tap, None]
        line >>= 16
    total = lines[0]
    total += lines[1]
    total += 2
    total >>= 2  # within 0..255, as the weights are no less than 0
    return total


def _finish_cubic(lines: list[_Lines], weights: NDArray[np.int32]) -> _Lines:
    total = np.full_like(lines[0], 1 << 21)
    for tap, line in enumerate(lines):
        line *= weights[:, tap, None]
        total += line
    total >>= 22
    return np.clip(total, 0, 255, out=total)


def _scale(source: int, target: int) -> float:
    """Source pixels to one target pixel; the detour over the inverse is OpenCV's rounding."""
    return 1 / (target / source)


def _centres(source: int, target: int, kept: slice) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """The source pixel left of each kept target pixel's centre, and how far beyond it that lies."""
    position = ((np.arange(*kept.indices(target)) + 0.5) * _scale(source, target) - 0.5).astype(
        np.float32
    )
    left = np.floor(position).astype(np.intp)
    return left, (position - left).astype(np.float32)


def _linear_positions(
    source: int, target: int, kept: slice = slice(None)
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    left, fraction = _centres(source, target, kept)
    fraction = np.where((left < 0) | (left >= source - 1), np.float32(0), fraction)
    weights = np.stack([1 - fraction, fraction], axis=1)
    return np.clip(left[:, None] + np.arange(2), 0, source - 1), weights


def _linear_taps(source: int, target: int, kept: slice) -> _Taps:
    positions, weights = _linear_positions(source, target, kept)
    return _clamped(positions, weights, source)


def _linear_down(source: int, target: int, kept: slice) -> _Taps:
    """As `_linear_taps`, but beyond the edges both taps count, of one row: rounded twice."""
    left, fraction = _centres(source, target, kept)
    weights = np.stack([1 - fraction, fraction], axis=1)
    return _clamped(left[:, None] + np.arange(2), weights, source)


def _cubic_taps(source: int, target: int, kept: slice) -> _Taps:
    left, near = _centres(source, target, kept)
    a = np.float32(_CUBIC_A)
    far = near + 1
    beyond = 1 - near
    weights = np.stack(
        [
            ((a * far - 5 * a) * far + 8 * a) * far - 4 * a,
            ((a + 2) * near - (a + 3)) * near * near + 1,
            ((a + 2) * beyond - (a + 3)) * beyond * beyond + 1,
        ],
        axis=1,
    )
    weights = np.concatenate([weights, 1 - weights.sum(axis=1, keepdims=True)], axis=1)
    return _clamped(left[:, None] + np.arange(-1, 3), weights, source)


def _clamped(indices: NDArray[np.intp], weights: NDArray[np.float32], source: int) -> _Taps:
    """Repeat the edge pixels outside the picture; weights as 11-bit integers."""
    return np.clip(indices, 0, source - 1), np.rint(weights * _FIXED_POINT).astype(np.int32)


def _pixels(window: Window, height: int, width: int) -> int:
    """How many pixels a window of (height, width) has."""
    return len(range(*window[0].indices(height))) * len(range(*window[1].indices(width)))


def _nearest(picture: Pixels, height: int, width: int, window: Window) -> Pixels:
    rows = (np.arange(height) * _scale(picture.shape[0], height)).astype(np.intp)
    columns = (np.arange(width) * _scale(picture.shape[1], width)).astype(np.intp)
    kept: Pixels = picture[rows[window[0]]][:, columns[window[1]]]
    return kept


def _halved(picture: Pixels) -> Pixels:
    """Every 2x2 pixels' mean, halves rounded up, which Pillow computes as OpenCV does."""
    from PIL import Image

    grey = picture.shape[2] == 1
    image = Image.fromarray(picture[..., 0] if grey else picture)
    return np.asarray(image.reduce(2)).reshape(len(picture) // 2, -1, picture.shape[2])


def _area(picture: Pixels, height: int, width: int) -> Pixels:
    channels = picture.shape[2]
    flat = picture.reshape(len(picture), -1)
    down = list(_boxes(picture.shape[0], height))
    across = [
        (_interleaved(column, channels), weight.repeat(channels))
        for column, weight in _boxes(picture.shape[1], width)
    ]
    result = np.empty((height, width * channels), np.uint8)
    for start in range(0, height, _BLOCK):
        block = slice(start, start + _BLOCK)
        averaged = np.zeros((len(down[0][0][block]), picture[0].size), np.float32)
        for row, weight in down:
            source = flat.take(row[block], axis=0)
            averaged += np.multiply(source, weight[block, None], dtype=np.float32)
        total = np.zeros((len(averaged), width * channels), np.float32)
        for column, weight in across:
            total += averaged.take(column, axis=1) * weight
        result[block] = np.clip(np.rint(total, out=total), 0, 255, out=total)
    return result.reshape(height, width, channels)


def _boxes(source: int, target: int) -> Iterator[tuple[NDArray[np.intp], NDArray[np.float32]]]:
    """The source positions each target pixel covers, one after the other, and how much of each.

    The two at the ends of a box count in part.
    """
    scale = _scale(source, target)
    start = np.arange(target) * scale
    first = np.floor(start).astype(np.intp)
    for tap in range(int(np.ceil(scale)) + 1):
        index = first + tap
        covered = np.minimum(start + scale, index + 1) - np.maximum(start, index)
        yield np.minimum(index, source - 1), (np.clip(covered, 0, None) / scale).astype(np.float32)
