"""Where text detectors see text: six forms of maps, which lie over the whole input, at its size
or a part of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from zoohub.errors import DataError
from zoohub.outputs.form import Array, Size, check_finite, only, shapes, sigmoid

_NARROW_BOXES = 14  # of CTPN's cells


@dataclass(frozen=True, slots=True)
class TextProbability:
    """DBNet's: `probability` is float (N, h, w) in 0..1, of a pixel belonging to the inner part of
    a text."""

    probability: Array

    def __post_init__(self) -> None:
        _check("a probability of text (N, h, w)", self.probability, 3)

    def __len__(self) -> int:
        return len(self.probability)


@dataclass(frozen=True, slots=True)
class TextKernels:
    """PSENet's: `logits` is float (N, kernels, h, w), the first of the text itself, the last of its
    innermost part."""

    logits: Array

    def __post_init__(self) -> None:
        _check("logits of kernels (N, kernels, h, w)", self.logits, 4)

    def __len__(self) -> int:
        return len(self.logits)


@dataclass(frozen=True, slots=True)
class TurnedBoxes:
    """EAST's: `scores` is float (N, h, w) in 0..1; `boxes` (N, 5, h, w) is what lies about a pixel:
    the distances to the upper, lower, left and right side in pixels of the input, and the angle in
    radians."""

    scores: Array
    boxes: Array

    def __post_init__(self) -> None:
        _check("scores (N, h, w)", self.scores, 3)
        expected = (len(self.scores), 5, *self.scores.shape[1:])
        if self.boxes.shape != expected:
            raise DataError(f"expected boxes {expected} with the scores; got {self.boxes.shape}")

    def __len__(self) -> int:
        return len(self.scores)


@dataclass(frozen=True, slots=True)
class TextCurves:
    """FCENet's: `levels` are float (N, 4 + 2 (2 d + 1), h, w), from fine to coarse: the probability
    of being outside of text and inside, away from its middle and there, then x of the outline's
    Fourier coefficients from -d to d, and y."""

    levels: tuple[Array, ...]

    def __post_init__(self) -> None:
        for level in self.levels:
            _check("maps of curves (N, 4 + 2 (2 d + 1), h, w)", level, 4)
            if level.shape[1] < 6 or level.shape[1] % 4 != 2:
                raise DataError(f"expected 4 + 2 (2 d + 1) channels of curves; got {level.shape}")

    def __len__(self) -> int:
        return len(self.levels[0])


@dataclass(frozen=True, slots=True)
class TextEnds:
    """AdvancedEAST's: `maps` is float (N, 7, h, w), see `end_outlines`."""

    maps: Array

    def __post_init__(self) -> None:
        _check("maps of texts and their ends (N, 7, h, w)", self.maps, 4)
        if self.maps.shape[1] != 7:
            raise DataError(f"expected 7 maps of texts and their ends; got {self.maps.shape}")

    def __len__(self) -> int:
        return len(self.maps)


@dataclass(frozen=True, slots=True)
class TextColumns:
    """CTPN's: `scores` is float (N, 14, h, w) in 0..1, of each of a cell's boxes being on a text;
    `offsets` (N, 56, h, w) how it is moved, see `column_outlines`."""

    scores: Array
    offsets: Array

    def __post_init__(self) -> None:
        _check("scores of boxes (N, 14, h, w)", self.scores, 4)
        count, boxes, *cells = self.scores.shape
        if boxes != _NARROW_BOXES:
            raise DataError(f"expected scores of 14 boxes a cell; got {self.scores.shape}")
        if self.offsets.shape != (count, 4 * boxes, *cells):
            raise DataError(
                f"expected offsets {(count, 4 * boxes, *cells)} with the scores; got "
                f"{self.offsets.shape}"
            )

    def __len__(self) -> int:
        return len(self.scores)


def text_probability(raw: Mapping[str, Array], size: Size) -> TextProbability:
    """The output `probability` (N, 1, h, w), or the only one.

    Raises:
        DataError: the network gives something else.
    """
    what = "a probability of text, probability (N, 1, h, w)"
    return TextProbability(_single(only(raw, "probability", what), what, raw))


def text_kernels(raw: Mapping[str, Array], size: Size) -> TextKernels:
    """The only output, (N, kernels, h, w).

    Raises:
        DataError: the network gives something else, such as the two outputs of the models
            repository's PSENet, which decides itself what is a kernel.
    """
    if len(raw) != 1:
        raise _other("the logits of kernels as the only output", raw)
    return TextKernels(next(iter(raw.values())).astype(np.float32, copy=False))


def turned_boxes(raw: Mapping[str, Array], size: Size) -> TurnedBoxes:
    """The outputs `scores` (N, 1, h, w) and `boxes` (N, 5, h, w).

    Raises:
        DataError: the network gives something else.
    """
    scores, boxes = raw.get("scores"), raw.get("boxes")
    what = "scores (N, 1, h, w) and boxes (N, 5, h, w)"
    if scores is None or boxes is None:
        raise _other(what, raw)
    return TurnedBoxes(_single(scores, what, raw), boxes.astype(np.float32, copy=False))


def text_curves(raw: Mapping[str, Array], size: Size) -> TextCurves:
    """All outputs, one a level.

    Raises:
        DataError: the network gives something else.
    """
    return TextCurves(tuple(array.astype(np.float32, copy=False) for array in raw.values()))


def text_ends(raw: Mapping[str, Array], size: Size) -> TextEnds:
    """The only output, (N, 7, h, w), its first three channels as logits.

    Raises:
        DataError: the network gives something else.
    """
    points = only(raw, "points", "maps of texts and their ends, points (N, 7, h, w)")
    maps = points.astype(np.float32)
    maps[:, :3] = sigmoid(maps[:, :3])
    return TextEnds(maps)


def text_columns(raw: Mapping[str, Array], size: Size) -> TextColumns:
    """The outputs `logits` (N, 28, h, w), of no text and of text by turns, and `offsets` (N, 56, h,
    w).

    Raises:
        DataError: the network gives something else.
    """
    logits, offsets = raw.get("logits"), raw.get("offsets")
    if logits is None or offsets is None or logits.ndim != 4 or logits.shape[1] % 2:
        raise _other("logits (N, 28, h, w) and offsets (N, 56, h, w)", raw)
    check_finite(logits)
    wide = logits.astype(np.float64)  # has room for the difference of any two
    scores = sigmoid(wide[:, 1::2] - wide[:, ::2]).astype(np.float32)
    return TextColumns(scores, offsets.astype(np.float32, copy=False))


def _single(array: Array, what: str, raw: Mapping[str, Array]) -> Array:
    """(N, 1, h, w) without its axis of one channel."""
    if array.ndim != 4 or array.shape[1] != 1:
        raise _other(what, raw)
    return array[:, 0].astype(np.float32, copy=False)


def _other(what: str, raw: Mapping[str, Array]) -> DataError:
    return DataError(f"expected {what}; the network gives {shapes(raw)}")


def _check(what: str, array: Array, ndim: int) -> None:
    # OpenCV crashes over maps without a pixel.
    if 0 in array.shape[-2:] or array.ndim != ndim or array.dtype.kind != "f":
        raise DataError(f"expected {what}; got {array.dtype} {array.shape}")
