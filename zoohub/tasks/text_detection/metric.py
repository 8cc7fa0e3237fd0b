"""How well text is found, by the rule of ICDAR 2015."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from zoohub.errors import DataError
from zoohub.outputs import Form
from zoohub.tasks.contract import Figures, Metric, Row
from zoohub.tasks.text_detection.interpret import (
    TextArea,
    TextDetectionOptions,
    interpret_texts,
)
from zoohub.tasks.text_detection.samples import Texts
from zoohub.tasks.text_detection.shapes import Points, Shapes, shapely

_MATCH = 0.5  # intersection over union, above which two outlines are of one text
_IGNORED = 0.5  # of an outline's area inside of an ignored one, above which it does not count


class TextDetection(Metric):
    """Counts of texts, over all pictures, by ICDAR 2015's rule (Karatzas et al. 2015, Robust
    Reading, Challenge 4): a text that is there and one that was found are matched, one with one,
    where they overlap by more than half of their union. What lies in an ignored text by more than
    half of its own area does not count, nor do ignored texts."""

    def __init__(self) -> None:
        self.pictures = self.there = self.found = self.matched = 0

    def add(self, form: Form, rows: Sequence[Row], targets: Sequence[Texts]) -> None:
        """See `Metric`."""
        found = interpret_texts(form, rows, TextDetectionOptions())
        for areas, texts in zip(found, targets, strict=True):
            self.count(areas, texts)

    def count(self, areas: Sequence[TextArea], texts: Texts) -> None:
        """Count one picture."""
        there = _polygons(texts.polygons)
        found = _polygons([np.array(area.polygon) for area in areas])
        common = shapely().area(shapely().intersection(there[:, None], found[None]))
        sizes, own = shapely().area(there), shapely().area(found)
        valid = own > 0
        inside = common[texts.ignored] > _IGNORED * own
        counted = valid & ~inside.any(0)
        known = ~texts.ignored & (sizes > 0)
        union = sizes[:, None] + own - common
        same = (common > _MATCH * union) & known[:, None] & counted
        self.pictures += 1
        self.there += int(known.sum())
        self.found += int(counted.sum())
        self.matched += _pairs(same)

    def figures(self) -> Figures:
        """`{count, texts, found, precision, recall, hmean, per_class}`; there are no classes."""
        if not self.there:
            raise DataError("there is no text in the readable pictures to measure on")
        precision = self.matched / self.found if self.found else 0.0
        recall = self.matched / self.there
        both = precision + recall
        return {
            "count": self.pictures,
            "texts": self.there,
            "found": self.found,
            "precision": precision,
            "recall": recall,
            "hmean": 2 * precision * recall / both if both else 0.0,
            "per_class": {},
        }


def _polygons(outlines: Sequence[Points]) -> Shapes:
    """Shapely's polygons; empty ones of outlines that cross themselves, which never count."""
    geometry = shapely()
    made = np.empty(len(outlines), object)
    for place, outline in enumerate(outlines):
        polygon = geometry.Polygon(outline) if len(outline) > 2 else geometry.Polygon()
        made[place] = polygon if polygon.is_valid else geometry.Polygon()
    return made


def _pairs(same: NDArray[np.bool_]) -> int:
    """How many pairs there are, each text with the first that is left for it."""
    free = np.ones(same.shape[1], np.bool_)
    count = 0
    for row in same:
        places = np.flatnonzero(row & free)
        if len(places):
            free[places[0]] = False
            count += 1
    return count
