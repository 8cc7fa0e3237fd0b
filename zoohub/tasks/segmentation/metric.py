"""How well the classes of pixels are told apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from zoohub.errors import DataError
from zoohub.outputs import ClassMap, Form
from zoohub.tasks.contract import Figures, Metric, Row
from zoohub.tasks.segmentation.interpret import picture_classes
from zoohub.tasks.segmentation.masks import IGNORED, ClassIndices, Mask


class Segmentation(Metric):
    """Counts of pixels by true class (rows) and found class, over all pictures.

    Pixels without a class (255 in the mask) do not count, nor those the network did not look at
    beyond its crop. Intersection over union of a class is over all pictures together; the mean
    is over the classes that are in a mask or were found (Everingham et al. 2015, Pascal VOC).
    """

    def __init__(self, classes: tuple[str, ...]) -> None:
        self.classes = classes
        self.counts = np.zeros((len(classes), len(classes)), np.int64)
        self.pictures = 0

    def add(self, form: Form, rows: Sequence[Row], targets: Sequence[Mask]) -> None:
        """See `Metric`."""
        assert isinstance(form, ClassMap)
        for found, mask in zip(picture_classes(form, rows), targets, strict=True):
            self.count(mask.read(), found)

    def count(self, truth: ClassIndices, found: ClassIndices) -> None:
        """Count one picture.

        Raises:
            DataError: the mask has another size, or a class that is not there.
        """
        if truth.shape != found.shape:
            raise DataError(f"a mask of {truth.shape} pixels for a picture of {found.shape}")
        counted = (truth != IGNORED) & (found != IGNORED)
        own = truth[counted].astype(np.int64)
        if own.size and own.max() >= len(self.classes):
            raise DataError(f"a mask has class {own.max()}; there are {len(self.classes)}")
        size = len(self.classes)
        pairs = np.bincount(own * size + found[counted], minlength=size * size)
        self.counts += pairs.reshape(size, size)
        self.pictures += 1

    @property
    def ious(self) -> NDArray[np.float64]:
        """Intersection over union of each class; NaN where it is neither there nor found."""
        right = np.diag(self.counts).astype(np.float64)
        union = self.counts.sum(0) + self.counts.sum(1) - right
        return np.divide(right, union, out=np.full(len(right), np.nan), where=union > 0)

    def figures(self) -> Figures:
        """`{count, pixels, miou, accuracy, per_class: {name: {iou, share}}, confusion}`."""
        total = int(self.counts.sum())
        if not total:
            raise DataError("no pixel with a class is left to evaluate on")
        ious = self.ious
        share = self.counts.sum(1) / total
        per_class = {
            name: {"iou": None if np.isnan(iou) else float(iou), "share": float(part)}
            for name, iou, part in zip(self.classes, ious, share, strict=True)
        }
        return {
            "count": self.pictures,
            "pixels": total,
            "miou": float(np.nanmean(ious)),
            "accuracy": float(np.trace(self.counts) / total),
            "per_class": per_class,
            "confusion": self.counts.tolist(),
        }
