"""FCENet's rule: the outline that each cell in the middle of a text draws as a Fourier series.

Source: Zhu et al., "Fourier Contour Embedding for Arbitrary-Shaped Text Detection" (2021), as
MindOCR 0.3.1's FCEPostprocess has it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from zoohub.tasks.text_detection.shapes import (
    MOST,
    Map,
    Outline,
    Points,
    Shapes,
    best_apart,
    opencv,
    shapely,
)

_POINTS = 50  # of an outline
_OVERLAP = 0.1  # above which the less sure of two outlines goes
_TEXT_POWER, _CENTRE_POWER = 1.2, 1.0


def curve_outlines(
    levels: list[Map],
    size: tuple[int, int],
    *,
    least: float = 0.3,
    text_power: float = _TEXT_POWER,
) -> list[Outline]:
    """The texts on FCENet's maps, best first.

    Args:
        levels: (4 + 2 (2 d + 1), h, w) each, see `zoohub.outputs.text_areas.TextCurves`.
        size: (height, width) of the input.
        least: the score that a cell must exceed: that of being text to the power `text_power`,
            times that of being in its middle.
    """
    found = [outline for level in levels for outline in _on_level(level, size, least, text_power)]
    return _apart(found)


def _on_level(level: Map, size: tuple[int, int], least: float, text_power: float) -> list[Outline]:
    cv2 = opencv()
    scores = level[1].astype(np.float64) ** text_power * level[3] ** _CENTRE_POWER
    mask = _filled((scores > least).astype(np.uint8))
    contours, _ = cv2.findContours(mask, cv2.RETR_TREE, cv2.CHAIN_APPROX_SIMPLE)
    scale = size[0] / level.shape[1]
    found: list[Outline] = []
    for contour in contours[:MOST]:
        here = np.zeros(mask.shape, np.uint8)
        cv2.drawContours(here, [contour], -1, 1, -1)
        found += _apart(_drawn_by(level, np.where(here, scores, 0), scale))
    return _apart(found)


def _filled(mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The mask with its holes filled: what the outside cannot reach."""
    cv2 = opencv()
    wide = np.pad(mask, 1)
    cv2.floodFill(wide, None, (0, 0), 2)
    return (wide[1:-1, 1:-1] != 2).astype(np.uint8)


def _drawn_by(level: Map, scores: NDArray[np.float64], scale: float) -> list[Outline]:
    """The outline of each cell that has a score, of at most the `MOST` best."""
    rows, columns = np.nonzero(scores > 0)
    if len(rows) > MOST:
        best = np.sort(np.argsort(-scores[rows, columns], kind="stable")[:MOST])
        rows, columns = rows[best], columns[best]
    terms = (level.shape[0] - 4) // 2
    x, y = level[4 : 4 + terms, rows, columns], level[4 + terms :, rows, columns]
    series = (x + 1j * y).T.astype(np.complex128)  # a row a cell, from -degree to degree
    degree = terms // 2
    series[:, degree] += columns + 1j * rows
    spectrum = np.zeros((len(series), _POINTS), np.complex128)
    spectrum[:, : degree + 1] = series[:, degree:]
    if degree:
        spectrum[:, -degree:] = series[:, :degree]
    curve = np.fft.ifft(spectrum * scale, axis=1) * _POINTS
    points = np.trunc(np.stack([curve.real, curve.imag], axis=2))
    return [
        Outline(each, float(score))
        for each, score in zip(points, scores[rows, columns], strict=True)
    ]


def _apart(found: list[Outline]) -> list[Outline]:
    """Those that overlap no better one, best first."""
    shapes: Shapes = np.array([_shape(each.points) for each in found], object)
    scores = np.array([each.score for each in found])
    return [found[i] for i in best_apart(shapes, scores, _OVERLAP)]


def _shape(points: Points) -> object:
    """The polygon; where its outline crosses itself, what it goes round."""
    polygon = shapely().Polygon(points)
    return polygon if polygon.is_valid else polygon.buffer(0)
