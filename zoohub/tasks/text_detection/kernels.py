"""PSENet's rule: the innermost kernel of each text grows until it is the whole text.

Source: Wang et al., "Shape Robust Text Detection with Progressive Scale Expansion Network" (2019),
as MindOCR's PSEPostprocess has it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from zoohub.inputs.picture.text_crop import least_rectangle
from zoohub.outputs.form import sigmoid
from zoohub.tasks.text_detection.shapes import MOST, Map, Outline, Points, opencv

Labels: TypeAlias = NDArray[np.int32]

_LEAST_AREA = 16  # pixels of a kernel, and of a text


def kernel_outlines(
    logits: Map,
    size: tuple[int, int],
    *,
    polygons: bool = False,
    binary: float = 0.0,
    least: float = 0.85,
) -> list[Outline]:
    """The texts on maps of kernels.

    Args:
        logits: (kernels, h, w), the first of the text, the last of its innermost part.
        size: (height, width) of the input.
        polygons: outlines of any number of points; else rectangles.
        binary: the logit above which a pixel is of a kernel.
        least: the least mean probability of a text.
    """
    cv2 = opencv()
    spread = [cv2.resize(each, size[::-1], interpolation=cv2.INTER_LINEAR) for each in logits]
    text = spread[0]
    inside = [(each > binary) & (text > binary) for each in spread]
    labels = grown(inside)
    probability = sigmoid(text)
    found: list[Outline] = []
    for rows, columns in _pixels_of(labels):
        if len(found) == MOST:
            break
        if len(rows) < _LEAST_AREA:
            continue
        score = float(probability[rows, columns].mean())
        if score < least:
            continue
        points = np.stack([columns, rows], axis=1).astype(np.int32)
        trace = _contour(points) if polygons else least_rectangle(points)[0]
        found.append(Outline(trace, score))
    return found


def grown(inside: list[NDArray[np.bool_]]) -> Labels:
    """Which text each pixel is of, from 1, 0 of none: `inside` are its kernels, the last the
    innermost.

    The texts' pixels take their neighbours above, below, left and right into their own text, first
    come first served, through one kernel after the other.
    """
    cv2 = opencv()
    _, seeds, sizes, _ = cv2.connectedComponentsWithStats(
        inside[-1].astype(np.uint8), connectivity=4, ltype=cv2.CV_32S
    )
    seeds[sizes[seeds, cv2.CC_STAT_AREA] < _LEAST_AREA] = 0
    _, width = seeds.shape
    # A frame of pixels of no kernel, so that every pixel has four neighbours.
    labels = np.pad(seeds, 1).ravel()
    steps = np.array([-(width + 2), width + 2, -1, 1])
    front = np.flatnonzero(labels)
    for kernel in reversed(inside[:-1]):
        open_pixels = np.pad(kernel, 1).ravel() & (labels == 0)
        still = []
        while len(front):
            neighbours = (front[:, None] + steps).ravel()
            candidates = np.flatnonzero(open_pixels[neighbours])
            taken, first = np.unique(neighbours[candidates], return_index=True)
            # In the order in which they were reached, each by the one that came first.
            order = np.argsort(first)
            reached, taker = taken[order], candidates[first[order]] // len(steps)
            labels[reached] = labels[front[taker]]
            open_pixels[reached] = False
            still.append(np.delete(front, taker))  # those that took none wait for the next kernel
            front = reached
        front = np.concatenate(still) if still else front
    grid: Labels = labels.reshape(len(seeds) + 2, width + 2)[1:-1, 1:-1]
    return grid


def _pixels_of(labels: Labels) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """The rows and columns of each text's pixels, from text 1 on."""
    places = np.flatnonzero(labels)
    owners = labels.ravel()[places]
    order = np.argsort(owners, kind="stable")
    bounds = np.searchsorted(owners[order], np.arange(1, labels.max(initial=0) + 2))
    for start, stop in pairwise(bounds):
        rows, columns = np.divmod(places[order[start:stop]], labels.shape[1])
        yield rows, columns


def _contour(pixels: Points) -> Points:
    """The outline of a text's pixels; where they fall apart, of the first part."""
    cv2 = opencv()
    corner = pixels.min(0)
    columns, rows = (pixels - corner).T
    mask = np.zeros((rows.max() + 1, columns.max() + 1), np.uint8)
    mask[rows, columns] = 1
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    points: Points = contours[0][:, 0] + corner
    return points
