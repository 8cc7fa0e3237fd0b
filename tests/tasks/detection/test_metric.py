"""COCO's figures: what they are for perfect, shifted, missing and surplus boxes."""

from __future__ import annotations

import sys

import pytest

from zoohub.errors import DataError, ZoohubError
from zoohub.tasks.detection.metric import score_detections
from zoohub.tasks.detection.samples import Objects, as_boxes
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


def test_nothing_to_find_is_an_error() -> None:
    with pytest.raises(DataError, match="no boxes in the 1 readable pictures"):
        score_detections(_found([[]]), [Objects(as_boxes([]))], CLASSES)


def test_without_pycocotools_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "pycocotools.coco", None)
    with pytest.raises(ZoohubError, match=r"zoohub\[detection\]"):
        score_detections(_found(PERFECT), SAMPLES, CLASSES)
