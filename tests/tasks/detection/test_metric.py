"""COCO's figures: what they are for perfect, shifted, missing and surplus boxes."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

from zoohub.errors import DataError, ZoohubError
from zoohub.inputs.picture import Geometry
from zoohub.outputs import BoxTable, MaskedTable
from zoohub.tasks.contract import Row
from zoohub.tasks.detection.metric import Detection, score_detections
from zoohub.tasks.detection.samples import Objects, Shape, as_boxes
from zoohub.tasks.results import Label

pytest.importorskip("pycocotools")
CLASSES = ("cat", "dog", "bird")
SAMPLES = [
    Objects(as_boxes([[0, 0, 0, 20, 20], [1, 20, 20, 45, 45]])),
    Objects(as_boxes([[0, 5, 5, 40, 40]])),
]


def _found(rows: list[list[tuple[float, ...]]]) -> list[tuple[Label, ...]]:
    return [tuple(_label(*row) for row in picture) for picture in rows]


def _label(index: float, score: float, *box: float) -> Label:
    return Label(CLASSES[int(index)], int(index), score, box)  # type: ignore[arg-type]


PERFECT = [[(0, 0.9, 0, 0, 20, 20), (1, 0.8, 20, 20, 45, 45)], [(0, 0.7, 5, 5, 40, 40)]]


def test_perfect_boxes_have_precision_1_and_unseen_classes_none() -> None:
    result = score_detections(_found(PERFECT), SAMPLES, CLASSES)
    assert (result["map"], result["map50"], result["map75"]) == pytest.approx((1, 1, 1))
    assert result["per_class"]["cat"] == {
        "map": pytest.approx(1),
        "map50": pytest.approx(1),
        "boxes": 2,
    }
    assert result["per_class"]["bird"] == {"map": None, "map50": None, "boxes": 0}
    assert (result["count"], result["boxes"]) == (2, 3)


def test_shifted_boxes_count_up_to_their_overlap() -> None:
    # 20 × 20 shifted by 4: overlap 16/24 = 0.667, so right at 0.5 to 0.65, 4 of 10 thresholds.
    shifted = [[(0, 0.9, 4, 0, 24, 20), PERFECT[0][1]], PERFECT[1]]
    samples = SAMPLES[:1]
    result = score_detections(_found(shifted[:1]), samples, CLASSES)
    assert result["per_class"]["cat"]["map"] == pytest.approx(0.4)
    assert result["per_class"]["cat"]["map50"] == pytest.approx(1)
    assert result["map75"] == pytest.approx(0.5)


def test_a_better_scored_wrong_box_halves_precision_and_a_crowd_excuses_it() -> None:
    rows = [[(1, 0.95, 0, 25, 15, 45), PERFECT[0][1]]]
    there = as_boxes([[1, 20, 20, 45, 45]])
    wrong = score_detections(_found(rows), [Objects(there)], CLASSES)
    assert wrong["map50"] == pytest.approx(0.5)
    crowd = [Objects(there, as_boxes([[1, 0, 20, 18, 50]]))]
    assert score_detections(_found(rows), crowd, CLASSES)["map50"] == pytest.approx(1)


def test_finding_nothing_is_0_not_an_error() -> None:
    result = score_detections(_found([[], []]), SAMPLES, CLASSES)
    assert (result["map"], result["map50"]) == (0, 0)
    assert result["per_class"]["bird"]["map"] is None


def _masked(masks: np.ndarray[Any, Any], shapes: tuple[Shape, ...]) -> dict[str, Any]:
    """The figures of two perfect boxes with these masks, beside objects of these shapes."""
    boxes = SAMPLES[0].boxes
    rows = np.array([[0, *box[1:], 0.9, box[0]] for box in boxes], np.float32)
    image = Row({"image": np.zeros((3, 50, 50), np.float32)}, Geometry((50, 50), (50, 50), 0, 0))
    metric = Detection(CLASSES)
    metric.add(MaskedTable(BoxTable(rows), masks), [image], [Objects(boxes, shapes=shapes)])
    return dict(metric.figures())


def test_masks_are_measured_by_their_own_overlap() -> None:
    squares: tuple[Shape, ...] = (
        [[0, 0, 21, 0, 21, 21, 0, 21]],
        {"size": [50, 50], "counts": [20 * 50 + 20, *[26, 24] * 25, 26, 4 + 4 * 50]},
    )
    whole = np.ones((2, 28, 28), np.float32)
    found = _masked(whole, squares)
    figures = [found[f"mask_{name}"] for name in ("map", "map50", "map75")]
    assert figures == pytest.approx([1, 1, 1])
    half = whole.copy()
    half[0, 12:] = 0  # less than half of the first square
    found = _masked(half, squares)
    figures = [found[name] for name in ("map", "mask_map", "mask_map50")]
    assert figures == pytest.approx([1, 0.5, 0.5])


def test_without_the_objects_shapes_masks_are_not_measured() -> None:
    found = _masked(np.ones((2, 28, 28), np.float32), ())
    assert found["map"] == pytest.approx(1)
    assert "mask_map" not in found


def test_nothing_to_find_is_an_error() -> None:
    with pytest.raises(DataError, match="no boxes in the 1 readable picture "):
        score_detections(_found([[]]), [Objects(as_boxes([]))], CLASSES)


def test_without_pycocotools_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "pycocotools.coco", None)
    with pytest.raises(ZoohubError, match=r"zoohub\[detection\]"):
        score_detections(_found(PERFECT), SAMPLES, CLASSES)
