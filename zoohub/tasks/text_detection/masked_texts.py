"""Texts as the masks of regions: how TextFuseNet is asked, and what outlines its masks have.

Source: the models repository's evaluation of TextFuseNet (Ye et al., 2020).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from zoohub.inputs.picture import Geometry
from zoohub.outputs.form import sigmoid
from zoohub.outputs.masked_boxes import MaskedTable
from zoohub.running import Array, Runner
from zoohub.tasks.detection.regions.alignment import STRIDES, map_features, region_features
from zoohub.tasks.detection.regions.search import (
    MASKS,
    PROPOSALS,
    asked,
    proposals_of,
    seen_regions,
)
from zoohub.tasks.detection.suppression import non_max_suppression
from zoohub.tasks.text_detection.shapes import Outline, opencv

_TEXT = 1  # its class; the background is before it, and characters are behind
_CONTEXT_STRIDE = 8
_CELLS = 14
_LEAST_SCORE, _OVERLAP, _MOST = 0.2, 0.3, 100
_LEAST_AREA = 120  # square pixels of the picture
_LEAST_POINTS = 4  # of a mask's edge

_Floats = NDArray[np.float32]


def search_texts(runners: Mapping[str, Runner], images: _Floats) -> dict[str, Array]:
    """The texts in pictures (N, 3, H, W): `detections` (n, 7) as `BoxTable` has them, the best of a
    picture first, and `masks` (n, 28, 28), probabilities over each box.

    Raises:
        DataError: a part gives inf or nan, of which the next would make no boxes at all.
    """
    rows: list[_Floats] = []
    masks: list[_Floats] = []
    for place, image in enumerate(images):
        raw = asked(runners[PROPOSALS], image=image[None])
        maps = [raw[f"map_{stride}"][0] for stride in STRIDES]
        size = (image.shape[-2], image.shape[-1])
        _, scores, boxes, _ = seen_regions(runners, maps, proposals_of(raw, size), size)
        own, score = _chosen(boxes[:, _TEXT - 1], scores[:, _TEXT - 1])
        columns = (np.full(len(own), place), *own.T, score, np.zeros(len(own)))
        rows.append(np.stack(columns, axis=1).astype(np.float32))
        masks.append(_masks(runners[MASKS], maps, raw["context"][0], own))
    return {"detections": np.concatenate(rows), "masks": np.concatenate(masks)}


def _chosen(boxes: _Floats, scores: _Floats) -> tuple[_Floats, _Floats]:
    """The boxes that stay and their scores, best first."""
    order = np.argsort(-scores, kind="stable")
    order = order[scores[order] > _LEAST_SCORE]
    kept = non_max_suppression(
        boxes[order], np.zeros(len(order), np.int64), iou=_OVERLAP, limit=_MOST
    )
    return boxes[order[kept]], scores[order[kept]]


def _masks(runner: Runner, maps: list[_Floats], context: _Floats, boxes: _Floats) -> _Floats:
    """How likely each of 28×28 cells of the boxes is their text's."""
    if not len(boxes):
        return np.empty((0, 2 * _CELLS, 2 * _CELLS), np.float32)
    logits = asked(
        runner,
        mask_regions=region_features(maps, boxes, _CELLS),
        context_regions=map_features(context, _CONTEXT_STRIDE, boxes, _CELLS, samples=1),
    )["mask_logits"]
    return sigmoid(logits[:, _TEXT].astype(np.float32))


def mask_outlines(
    form: MaskedTable, place: int, geometry: Geometry, *, binary: float, least: float
) -> list[Outline]:
    """The outlines of the texts in the picture at `place` of a batch, in pixels of the picture.

    Of each box that scores at least `least` the first edge that OpenCV finds around the cells that
    are above `binary`, brought to the box's size.

    Raises:
        ZoohubError: OpenCV is not installed.
    """
    height, width = geometry.picture
    found: list[Outline] = []
    for row, mask in zip(form.table.rows, form.masks, strict=True):
        if row[0] != place or row[5] < least:
            continue
        corners = geometry.points_to_picture(row[1:5].reshape(2, 2)).astype(np.int64)
        (left, top), (right, bottom) = corners.tolist()
        if right > width or bottom > height or left >= right or top >= bottom:
            continue
        points = _edge(mask > binary, (right - left, bottom - top))
        if points is not None:
            found.append(Outline(points + np.array([left, top]), float(row[5])))
    return found


def _edge(mask: NDArray[np.bool_], size: tuple[int, int]) -> NDArray[np.int64] | None:
    """The first edge (n, 2) of a mask resized to (width, height); None: none is long enough, or
    there is too little in it."""
    cv2 = opencv()
    large = cv2.resize(mask.astype(np.uint8) * 255, size)
    edges = cv2.findContours(large, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)[-2]
    for edge in edges:
        points: NDArray[np.int64] = edge.reshape(-1, 2).astype(np.int64)
        if len(points) >= _LEAST_POINTS:
            return points if cv2.contourArea(edge) >= _LEAST_AREA else None
    return None
