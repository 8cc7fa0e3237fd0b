"""From decoded predictions to final boxes."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoohub.errors import DataError
from zoohub.outputs.boxes import Boxes, packed_boxes, scored_boxes
from zoohub.tasks.detection.rules import BoxRules
from zoohub.tasks.detection.selection import (
    Detections,
    best_first,
    select_detections,
    table_detections,
)
from zoohub.tasks.detection.suppression import non_max_suppression


def prediction(*rows: tuple[float, ...]) -> np.ndarray:
    """Rows of centre x, centre y, width, height, objectness, two class scores."""
    return np.array(rows, np.float32).reshape(-1, 7)


def selected(rows: np.ndarray, max_candidates: int = 30_000, **rules: Any) -> Detections:
    """The final boxes of a picture with these candidates."""
    found = packed_boxes({"predictions": rows[None]}, (64, 64))
    return select_detections(found, 0, BoxRules(**rules), max_candidates=max_candidates)


def greedy(boxes: np.ndarray, classes: np.ndarray, iou: float, limit: int) -> list[int]:
    """Non-maximum suppression as a textbook writes it, box by box."""
    kept: list[int] = []
    for i, (x1, y1, x2, y2) in enumerate(boxes.tolist()):
        for j in kept:
            a1, b1, a2, b2 = boxes[j].tolist()
            shared = max(0, min(x2, a2) - max(x1, a1)) * max(0, min(y2, b2) - max(y1, b1))
            union = (x2 - x1) * (y2 - y1) + (a2 - a1) * (b2 - b1) - shared
            if classes[i] == classes[j] and shared / (union + 1e-6) > iou:
                break
        else:
            kept.append(i)
    return kept[:limit]


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.sampled_from([0, 1, 2, 30, 511, 512, 513, 700, 1600]),
    classes=st.integers(1, 3),
    iou=st.sampled_from([0.0, 0.3, 0.65, 1.0]),
    limit=st.sampled_from([1, 20, 1000]),
)
def test_suppression_agrees_with_the_textbook(seed, count, classes, iou, limit):
    rng = np.random.default_rng(seed)
    corners = rng.integers(0, 40, (count, 2))
    boxes = np.concatenate([corners, corners + rng.integers(0, 30, (count, 2))], 1)
    boxes = boxes.astype(np.float32)  # whole numbers: both ways of computing are exact
    labels = rng.integers(0, classes, count)
    kept = non_max_suppression(boxes, labels, iou=iou, limit=limit)
    assert kept.tolist() == greedy(boxes, labels, iou, limit)


@pytest.mark.parametrize(("classes", "limit"), [(1, 2000), (3, 2000), (3, 100)])
def test_crowds_are_chosen_as_box_by_box(classes: int, limit: int) -> None:
    """Of many candidates an object, later ones are compared with the best near them first."""
    rng = np.random.default_rng(0)
    of = rng.integers(0, 60, 1700)
    corners = rng.integers(0, 400, (60, 2))[of] + rng.integers(-4, 5, (1700, 2))
    boxes = np.concatenate([corners, corners + rng.integers(20, 60, (60, 2))[of]], 1)
    boxes = boxes.astype(np.float32)
    boxes[::97] = 0  # boxes of nothing
    labels = rng.integers(0, classes, 60)[of]
    kept = non_max_suppression(boxes, labels, iou=0.65, limit=limit)
    assert kept.tolist() == greedy(boxes, labels, 0.65, limit)


def test_an_overlap_of_exactly_the_threshold_is_not_more_than_it() -> None:
    boxes = np.array([[0, 0, 20, 19], [0, 0, 13, 19]], np.float32)
    for iou, stays in ((0.65, 2), (0.6499, 1)):
        kept = non_max_suppression(boxes, np.zeros(2, np.int64), iou=iou, limit=9)
        assert len(kept) == stays


def test_boxes_without_a_size_or_a_place_are_chosen_without_a_warning() -> None:
    for value in (0.0, np.nan):
        boxes = np.full((1100, 4), value, np.float32)
        kept = non_max_suppression(boxes, np.zeros(1100, np.int64), iou=0.65, limit=1100)
        assert len(kept) == 1100  # nothing overlaps nothing


@given(st.lists(st.floats(0, 1, width=32), max_size=50))
def test_scores_are_ordered_as_a_stable_sort_does(scores: list[float]) -> None:
    array = np.array(scores, np.float32)
    assert best_first(array).tolist() == np.argsort(-array, kind="stable").tolist()


def test_the_better_of_two_overlapping_boxes_stays():
    found = selected(prediction((50, 50, 20, 20, 0.8, 0.9, 0), (51, 50, 20, 20, 0.9, 0.9, 0)))
    assert found.boxes.tolist() == [[41, 40, 61, 60]]
    assert found.scores.tolist() == pytest.approx([0.81])
    assert found.classes.tolist() == [0]


def test_boxes_of_different_classes_do_not_suppress_each_other():
    found = selected(prediction((50, 50, 20, 20, 0.8, 0.9, 0), (50, 50, 20, 20, 0.9, 0, 0.9)))
    assert found.classes.tolist() == [1, 0]


def test_the_score_is_objectness_times_class_score_and_must_exceed_the_threshold():
    rows = prediction((50, 50, 20, 20, 0.5, 0.5, 0.1), (200, 50, 20, 20, 0.5, 0.5625, 0.1))
    assert selected(rows, confidence=0.25).scores.tolist() == [0.28125]
    assert len(selected(rows, confidence=0.2)) == 2


def test_a_box_may_have_several_labels_where_asked():
    rows = prediction((50, 50, 20, 20, 1, 0.6, 0.7))
    assert selected(rows).classes.tolist() == [1]
    assert selected(rows, multi_label=True).classes.tolist() == [1, 0]


def test_with_one_class_the_objectness_alone_counts():
    rows = np.array([[50, 50, 20, 20, 0.75, 0.1]], np.float32)
    assert selected(rows).scores.tolist() == [0.75]


def test_equal_scores_keep_the_networks_order_and_the_limit_holds():
    rows = prediction(*[(40.0 * i, 50, 20, 20, 0.5, 1, 0) for i in range(10)])
    found = selected(rows, most=3)
    assert found.boxes[:, 0].tolist() == [-10, 30, 70]
    assert len(selected(rows, max_candidates=2)) == 2


@pytest.mark.parametrize("multi_label", [False, True])
def test_scores_beside_their_boxes_are_chosen_as_by_themselves(multi_label: bool) -> None:
    rng = np.random.default_rng(0)
    rows = rng.uniform(1, 60, (1, 400, 4 + 7)).astype(np.float32)  # sides above any threshold
    rows[..., 4:] = rng.integers(0, 8, (1, 400, 7)) / 8  # many are equal
    rows[0, ::9, 6] = np.nan
    beside = scored_boxes({"boxes": rows}, (64, 64))
    alone = Boxes(rows[..., :4], None, rows[..., 4:])
    rules = BoxRules(confidence=0.5, multi_label=multi_label)
    found, expected = (select_detections(form, 0, rules) for form in (beside, alone))
    assert len(found) > 100
    for name in ("boxes", "scores", "classes", "candidates"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
    if not multi_label:  # a row with NaN has no best score, the others their largest
        assert (found.candidates % 9).all()
        best = rows[0, found.candidates, 4:]
        np.testing.assert_array_equal(found.scores, best.max(axis=1))
        np.testing.assert_array_equal(found.classes, best.argmax(axis=1))
    with pytest.raises(DataError, match="side by side"):
        Boxes(alone.boxes, None, alone.scores, packed=rows[..., 1:])


def test_nothing_found_is_empty_and_well_shaped():
    found = selected(prediction((50, 50, 20, 20, 0.1, 1, 1)))
    assert len(found) == 0
    assert found.boxes.shape == (0, 4)


def test_a_table_of_a_networks_own_nms_is_read_picture_by_picture() -> None:
    rows = [
        (0, 1, 2, 3, 4, 0.5, 1),
        (0, 5, 6, 7, 8, 0.9, 0),
        (2, 1, 1, 2, 2, 0.3, 4),
        (2, 3, 3, 4, 4, 0.3, 2),
        (2, 5, 5, 6, 6, 0.25, 2),
    ]
    first, second, third = table_detections(np.array(rows, np.float32), 3)
    assert first.classes.tolist() == [0, 1]
    assert first.boxes.tolist() == [[5, 6, 7, 8], [1, 2, 3, 4]]
    assert first.scores.tolist() == pytest.approx([0.9, 0.5])
    assert len(second) == 0
    assert third.classes.tolist() == [4, 2]  # equal scores in the table's order
    (best,) = table_detections(np.array(rows, np.float32), 1, BoxRules(most=1))
    assert best.classes.tolist() == [0]


@pytest.mark.parametrize("suppression", ["iou", "diou", "soft", "soft_in_order"])
@pytest.mark.parametrize("size", [1e30, 3e38])
def test_boxes_as_large_as_numbers_can_be_overlap_like_others(
    suppression: str, size: float
) -> None:
    rows = prediction(*[(size, 32, size, size, score, 1, 0) for score in (0.9, 0.8, 0.3)])
    found = selected(rows, confidence=0.25, suppression=suppression)  # warnings are errors
    assert found.scores.tolist()[0] == pytest.approx(0.9)
    assert len(found) == 1
    assert np.isfinite(found.boxes).all()
