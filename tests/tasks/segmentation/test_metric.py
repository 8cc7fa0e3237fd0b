"""Intersection over union and pixel accuracy, on cases worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from zoohub.errors import DataError
from zoohub.tasks.segmentation.masks import IGNORED
from zoohub.tasks.segmentation.metric import Segmentation

NAMES = ("ground", "cat", "dog")


def counted(truth: list[list[int]], found: list[list[int]]) -> Segmentation:
    metric = Segmentation(NAMES)
    metric.count(np.array(truth, np.uint8), np.array(found, np.uint8))
    return metric


def test_a_case_by_hand() -> None:
    figures = counted([[0, 0, 1], [1, 2, 2]], [[0, 1, 1], [1, 2, 0]]).figures()
    # ground: 1 of 3, cat: 2 of 3, dog: 1 of 2
    assert figures["miou"] == pytest.approx((1 / 3 + 2 / 3 + 1 / 2) / 3)
    assert figures["accuracy"] == pytest.approx(4 / 6)
    assert figures["per_class"]["cat"] == {
        "iou": pytest.approx(2 / 3),
        "share": pytest.approx(1 / 3),
    }


def test_a_class_that_is_neither_there_nor_found_does_not_count() -> None:
    figures = counted([[0, 1]], [[0, 1]]).figures()
    assert figures["miou"] == 1.0
    assert figures["per_class"]["dog"]["iou"] is None


def test_a_class_that_is_found_but_not_there_counts_as_nothing() -> None:
    figures = counted([[0, 0]], [[0, 2]]).figures()
    assert figures["miou"] == pytest.approx((1 / 2 + 0) / 2)


def test_pixels_without_a_class_do_not_count() -> None:
    figures = counted([[0, IGNORED, 1]], [[0, 2, 1]]).figures()
    assert (figures["miou"], figures["accuracy"], figures["pixels"]) == (1.0, 1.0, 2)


def test_counts_add_up_over_pictures_rather_than_being_averaged() -> None:
    metric = Segmentation(NAMES)
    metric.count(np.array([[0, 1]], np.uint8), np.array([[0, 1]], np.uint8))
    metric.count(np.array([[1, 1, 1, 1]], np.uint8), np.array([[0, 0, 0, 0]], np.uint8))
    figures = metric.figures()
    assert figures["per_class"]["cat"]["iou"] == pytest.approx(1 / 5)
    assert figures["count"] == 2


@pytest.mark.parametrize(
    ("truth", "found", "words"),
    [([[0, 7]], [[0, 0]], "class 7; there are 3"), ([[0]], [[0, 0]], r"\(1, 1\) pixels")],
)
def test_a_mask_that_does_not_fit_is_refused(
    truth: list[list[int]], found: list[list[int]], words: str
) -> None:
    with pytest.raises(DataError, match=words):
        counted(truth, found)


def test_nothing_to_measure_is_an_error() -> None:
    with pytest.raises(DataError, match="no pixel"):
        counted([[IGNORED]], [[0]]).figures()
