"""Data for networks that learn the objects' shapes, and for those that learn boxes alone."""

from __future__ import annotations

from dataclasses import replace

from zoohub.core.counting import counted, plural
from zoohub.errors import DataError
from zoohub.tasks.detection.samples import BoxSamples, Objects
from zoohub.tasks.samples import Samples, Splits


def shaped_alone(splits: Splits[Objects], network: str) -> Splits[Objects]:
    """The same with those training pictures alone of whose objects all shapes are known, counted
    in a warning where others are left out.

    Raises:
        DataError: no object's shape is known.
    """
    train = splits.train
    kept = [place for place, objects in enumerate(train.targets) if objects.shaped]
    if not any(train.targets[place].shapes for place in kept):
        raise DataError(
            f"{network} with masks learns from the objects' shapes, and of this data boxes alone "
            "are known: give a COCO .json file with `segmentation`, a data.yaml in YOLO's format "
            "whose labels are polygons, or train a size without masks, such as yolov8x"
        )
    if len(kept) == len(train):
        return splits
    odd = next(place for place in range(len(train)) if not train.targets[place].shaped)
    left = len(train) - len(kept)
    warning = (
        f"{counted(left, 'training picture has', 'training pictures have')} objects of which boxes "
        f"alone are known and {plural(left, 'was', 'were')} left out (first: {train.names[odd]})"
    )
    return replace(splits, train=train.take(kept), warnings=(*splits.warnings, warning))


def without_shapes(splits: Splits[Objects]) -> Splits[Objects]:
    """The same by the boxes alone: what is not learnt from makes no run another."""

    def boxes_of(samples: BoxSamples) -> BoxSamples:
        targets = [objects.without_shapes() for objects in samples.targets]
        return Samples(samples.inputs, targets, samples.names)

    return replace(
        splits,
        train=boxes_of(splits.train),
        validation=boxes_of(splits.validation),
        test=boxes_of(splits.test),
    )
