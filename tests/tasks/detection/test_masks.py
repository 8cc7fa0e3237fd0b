"""Masks of boxes, as runs and in COCO's form."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoohub.errors import DataError
from zoohub.inputs.picture import Geometry
from zoohub.outputs import Boxes
from zoohub.outputs.masked_boxes import MaskedBoxes, masked_boxes
from zoohub.tasks.contract import Row
from zoohub.tasks.detection.coco_results import coco_results
from zoohub.tasks.detection.drawing import draw_boxes
from zoohub.tasks.detection.interpret import DetectionOptions, interpret_boxes
from zoohub.tasks.outlines import outlines
from zoohub.tasks.results import Label, Prediction
from zoohub.tasks.run_lengths import placed_runs, run_lengths


def decoded(counts: str) -> list[int]:
    """COCO's compressed counts read back, as its own reader does; written for this test."""
    runs: list[int] = []
    position = 0
    while position < len(counts):
        value, shift, more = 0, 0, True
        while more:
            bits = ord(counts[position]) - 48
            value |= (bits & 0x1F) << shift
            more = bool(bits & 0x20)
            position, shift = position + 1, shift + 5
            if not more and bits & 0x10:
                value |= -1 << shift
        runs.append(value + runs[-2] if len(runs) > 2 else value)
    return runs


@settings(deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    shape=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    share=st.sampled_from([0.0, 0.02, 0.5, 1.0]),
)
def test_runs_come_back_as_the_mask(seed: int, shape: tuple[int, int], share: float) -> None:
    mask = np.random.default_rng(seed).random(shape) < share
    runs = run_lengths(mask)
    assert (runs.pixels() == mask).all()
    assert runs.area == mask.sum()
    row = runs.to_json()
    assert row["size"] == list(shape)
    assert decoded(str(row["counts"])) == list(runs.runs)
    assert runs.polygons() == outlines(mask)


@settings(deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    rows=st.tuples(st.integers(0, 3), st.integers(1, 9), st.integers(0, 3)),
    columns=st.tuples(st.integers(0, 3), st.integers(1, 9), st.integers(0, 3)),
    share=st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0]),
)
def test_a_part_of_a_mask_has_the_runs_that_the_whole_has(
    seed: int, rows: tuple[int, int, int], columns: tuple[int, int, int], share: float
) -> None:
    part = np.random.default_rng(seed).random((rows[1], columns[1])) < share
    whole = np.pad(part, ((rows[0], rows[2]), (columns[0], columns[2])))
    found = placed_runs(part, rows[0], columns[0], (sum(rows), sum(columns)))
    assert (found.pixels() == whole).all()
    assert all(found.runs[1:])  # no run is empty: those that meet are one


def test_counts_are_written_as_coco_writes_them() -> None:
    mask = np.zeros((10, 10), bool)
    mask[2:5, 3:6] = True
    # 32 out, then three in and seven out, three times over: differences from the fourth on.
    assert run_lengths(mask).runs == (32, 3, 7, 3, 7, 3, 45)
    assert run_lengths(mask).to_json()["counts"] == "P137000V1"


def found(score: float = 0.9) -> MaskedBoxes:
    """A box over all of an 8×8 input, whose object is its left half, and one that is nothing."""
    boxes = np.array([[[4, 4, 8, 8], [4, 4, 2, 2]]], np.float32)
    scores = np.array([[[score], [0.1]]], np.float32)
    left = np.where(np.arange(4) < 2, 9.0, -9.0)
    prototypes = np.broadcast_to(left, (1, 1, 4, 4)).astype(np.float32)
    weights = np.array([[[1.0], [-1.0]]], np.float32)
    return MaskedBoxes(Boxes(boxes, None, scores), weights, prototypes)


def row_of(picture: tuple[int, int], resized: tuple[int, int], top: int, left: int) -> Row:
    image = np.zeros((3, 8, 8), np.float32)
    return Row({"image": image}, Geometry(picture, resized, top=top, left=left))


@pytest.mark.parametrize(
    ("row", "inside"),
    [
        (row_of((8, 8), (8, 8), 0, 0), (slice(None), slice(0, 4))),
        (row_of((16, 16), (8, 8), 0, 0), (slice(None), slice(0, 8))),
        # A wide picture, above and below which the letterbox is filled.
        (row_of((8, 16), (4, 8), 2, 0), (slice(None), slice(0, 8))),
        # A high one, which lies in the input's middle columns.
        (row_of((16, 8), (8, 4), 0, 2), (slice(None), slice(0, 4))),
    ],
    ids=["as it is", "twice as large", "wide", "high"],
)
def test_a_mask_lies_where_its_object_is_in_the_picture(
    row: Row, inside: tuple[slice, slice]
) -> None:
    assert isinstance(row.geometry, Geometry)
    (labels,) = interpret_boxes(found(), [row], ("thing",), DetectionOptions())
    (label,) = labels
    assert label.mask is not None
    expected = np.zeros(row.geometry.picture, bool)
    expected[inside] = True
    wrong = label.mask.pixels() != expected
    # The edge is a pixel of the prototypes wide, and may lie anywhere in it.
    assert wrong.mean() <= 1 / 8
    assert not wrong[:, [0, -1]].any()


def test_a_mask_ends_with_its_box() -> None:
    form = found()
    narrow = form.boxes.boxes.copy()
    narrow[0, 0] = (2, 2, 2, 2)
    form = MaskedBoxes(Boxes(narrow, None, form.boxes.scores), form.coefficients, form.prototypes)
    (labels,) = interpret_boxes(form, [row_of((8, 8), (8, 8), 0, 0)], None, DetectionOptions())
    assert labels[0].mask is not None
    assert np.argwhere(labels[0].mask.pixels()).tolist() == [[1, 1], [1, 2], [2, 1], [2, 2]]


def test_outputs_without_prototypes_are_refused() -> None:
    with pytest.raises(DataError, match="prototypes"):
        masked_boxes({"masked_boxes": np.zeros((1, 5, 40), np.float32)}, (8, 8))
    with pytest.raises(DataError, match="prototypes"):
        MaskedBoxes(found().boxes, np.zeros((1, 2, 3)), np.zeros((1, 4, 4, 4)))


def test_cocos_results_have_its_numbers_and_runs() -> None:
    (labels,) = interpret_boxes(
        found(), [row_of((8, 8), (8, 8), 0, 0)], ("person",), DetectionOptions()
    )
    rows = coco_results(Prediction("val2017/000000000139.jpg", labels), tuple(range(1, 91)))
    assert rows[0]["image_id"] == 139
    assert rows[0]["category_id"] == 1
    assert rows[0]["bbox"] == [0, 0, 8, 8]
    assert set(rows[0]["segmentation"]) == {"size", "counts"}  # type: ignore[arg-type]
    plain = Label("cat", 16, 0.5, (1.0, 2.0, 11.0, 22.0))
    (row,) = coco_results(Prediction("street.jpg", (plain,)), None)
    assert row == {
        "image_id": "street.jpg",
        "category_id": 17,
        "bbox": [1, 2, 10, 20],
        "score": 0.5,
    }


def test_a_mask_is_drawn_in_its_classs_colour() -> None:
    (labels,) = interpret_boxes(found(), [row_of((8, 8), (8, 8), 0, 0)], None, DetectionOptions())
    picture = np.full((8, 8, 3), 255, np.uint8)
    plain = np.asarray(draw_boxes(picture, [Label("thing", 0, 0.9, labels[0].box)]))
    tinted = np.asarray(draw_boxes(picture, labels))
    row = labels[0].to_json()
    assert row["mask"] is not None
    assert row["polygons"] == labels[0].mask.polygons()
    assert (plain != tinted).any()
