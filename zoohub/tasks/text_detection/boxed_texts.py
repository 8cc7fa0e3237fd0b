"""Texts as boxes of regions: how DeepText is asked.

Source: the models repository's evaluation of DeepText (Zhong et al., 2016), which is Faster R-CNN's
with anchors and maps of its own.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from zoohub.outputs.boxes import BoxTable
from zoohub.running import Array, Runner
from zoohub.tasks.detection.regions.alignment import map_features
from zoohub.tasks.detection.regions.anchors import Anchors
from zoohub.tasks.detection.regions.search import (
    HEADS,
    PROPOSALS,
    asked,
    chosen_boxes,
    proposals_of,
    table_rows,
    told_apart,
)
from zoohub.tasks.text_detection.shapes import Outline

_ANCHORS = Anchors(scales=(2, 4, 6, 8, 12), ratios=(0.2, 0.5, 0.8, 1.0, 1.2, 1.5))
_COARSE, _FINE = 16, 8  # strides of the maps that regions are cut from, in this order
_CELLS = 7
_TEXTS = 1  # classes: the one behind it is what the training data had as hardly legible

_Floats = NDArray[np.float32]


def search_boxes(runners: Mapping[str, Runner], images: _Floats) -> dict[str, Array]:
    """The texts in pictures (N, 3, H, W): `detections` (n, 7) as `BoxTable` has them, the best of a
    picture first.

    Raises:
        DataError: a part gives inf or nan, of which the next would make no boxes at all.
    """
    rows: list[_Floats] = []
    for place, image in enumerate(images):
        raw = asked(runners[PROPOSALS], image=image[None])
        size = (image.shape[-2], image.shape[-1])
        regions = proposals_of(raw, size, (_COARSE,), _ANCHORS)
        seen = [
            map_features(raw[f"map_{stride}"][0], stride, regions, _CELLS, last_pixel=True)
            for stride in (_COARSE, _FINE)
        ]
        said = asked(runners[HEADS[0]], regions=np.concatenate(seen, axis=1))
        scores, boxes = told_apart(regions, said, size)
        region, label, score = chosen_boxes(scores[:, :_TEXTS], boxes[:, :_TEXTS])
        rows.append(table_rows(place, boxes[region, label], score, label))
    return {"detections": np.concatenate(rows)}


def box_corners(form: BoxTable, place: int, *, least: float) -> list[Outline]:
    """The boxes of the picture at `place` of a batch that score at least `least`, each as its four
    corners, in pixels of the input."""
    found = form.rows[(form.rows[:, 0] == place) & (form.rows[:, 5] >= least)]
    return [
        Outline(np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2]], np.float32), float(score))
        for x1, y1, x2, y2, score in found[:, 1:6].tolist()
    ]
