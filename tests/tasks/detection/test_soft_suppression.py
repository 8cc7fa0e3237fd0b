"""Boxes that overlap a better one lose score, and stay."""

from __future__ import annotations

import math

import numpy as np
import pytest

from zoohub.inputs.picture.transforms import letterbox_geometry
from zoohub.networks.families import find_family
from zoohub.outputs.boxes import SoftSuppression, chosen_boxes
from zoohub.tasks.contract import Row
from zoohub.tasks.detection import soft_suppression
from zoohub.tasks.detection.interpret import DetectionOptions, interpret_boxes
from zoohub.tasks.detection.soft_suppression import weakened_scores
from zoohub.tasks.detection.suppression import overlaps

HOW = SoftSuppression(0.5, 0.001)


def overlap(one: list[float], other: list[float]) -> float:
    """By counting: a box from pixel 0 to pixel 1 has two pixels."""
    pixels = [
        {(x, y) for x in range(int(a), int(c) + 1) for y in range(int(b), int(d) + 1)}
        for a, b, c, d in (one, other)
    ]
    return len(pixels[0] & pixels[1]) / len(pixels[0] | pixels[1])


def textbook(boxes: np.ndarray, scores: np.ndarray) -> list[float]:
    """Of one class: the paper's loop, which takes the best of those that are left again and
    again."""
    now, left = [float(s) for s in scores], set(range(len(boxes)))
    while left:
        best = max(left, key=lambda i: (now[i], -i))
        left.remove(best)
        for i in tuple(left):
            shared = overlap(boxes[best].tolist(), boxes[i].tolist())
            if shared > 0:
                now[i] *= math.exp(-(shared**2) / HOW.sigma)
                if now[i] < HOW.least:
                    left.remove(i)
    return now


@pytest.mark.parametrize("seed", range(4))
def test_scores_are_those_of_the_textbook(seed: int) -> None:
    rng = np.random.default_rng(seed)
    corners = rng.integers(0, 12, (40, 2))
    boxes = np.concatenate([corners, corners + rng.integers(0, 12, (40, 2))], 1).astype(np.float32)
    scores = rng.uniform(0, 1, 40).astype(np.float32) ** 4
    classes = rng.integers(0, 2, 40)
    found = weakened_scores(boxes, scores, classes, HOW)
    for label in range(2):
        own = classes == label
        np.testing.assert_allclose(found[own], textbook(boxes[own], scores[own]), rtol=1e-4)
    none = np.zeros(0, np.float32)
    assert len(weakened_scores(none.reshape(0, 4), none, none.astype(np.int64), HOW)) == 0


@pytest.mark.parametrize("in_order", [False, True])
def test_of_many_boxes_only_those_near_each_other_are_compared(
    monkeypatch: pytest.MonkeyPatch, in_order: bool
) -> None:
    """RetinaNet has 30,000 candidates at most, which took a minute where all were compared."""
    compared = []

    def counted(rows: np.ndarray, columns: np.ndarray, *, pixel: float) -> np.ndarray:
        compared.append(len(columns))
        return overlaps(rows, columns, pixel=pixel)

    monkeypatch.setattr(soft_suppression, "overlaps", counted)
    rng = np.random.default_rng(0)
    count = 1000
    corners = rng.uniform(0, 1000, (count, 2))
    boxes = np.concatenate([corners, corners + rng.uniform(5, 40, (count, 2))], 1)
    scores = rng.uniform(0.05, 1, count).astype(np.float32)
    classes = np.zeros(count, np.int64)
    found = weakened_scores(boxes.astype(np.float32), scores, classes, HOW, in_order=in_order)
    assert (found < scores).sum() > count / 2
    assert sum(compared) < count**2 / 10


def test_centernets_boxes_are_weakened_in_the_pictures_own_pixels() -> None:
    """And those of networks whose publisher leaves them as they are are not."""
    row = Row({}, letterbox_geometry((40, 80), (80, 160)))  # twice as large in the input
    wide = [[0, 0, 38, 38, 0.9, 1], [0, 0, 38, 38, 0.8, 0], [0, 0, 38, 18, 0.6, 1]]
    raw = {"chosen": np.array([wide], np.float32)}
    weak = 0.6 * math.exp(-(0.5**2) / 0.5)  # 20 by 10 of 20 by 20 pixels
    read = find_family("centernet").read_outputs()
    options = DetectionOptions(threshold=0.3)
    (found,) = interpret_boxes(read(raw, (80, 160)), [row], None, options)
    assert [(label.index, label.box) for label in found] == [
        (1, (0, 0, 19, 19)), (0, (0, 0, 19, 19)), (1, (0, 0, 19, 9)),
    ]  # fmt: skip
    assert [label.score for label in found] == pytest.approx([0.9, 0.8, weak])
    assert find_family("yolov10").read_outputs() is chosen_boxes
    (plain,) = interpret_boxes(chosen_boxes(raw, (80, 160)), [row], None, options)
    assert [label.score for label in plain] == pytest.approx([0.9, 0.8, 0.6])
