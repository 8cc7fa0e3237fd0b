"""Boxes are those that each publisher's own evaluation chooses."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import zoohub
from zoohub.errors import DataError, RecipeError
from zoohub.inputs.picture import Geometry
from zoohub.manifest.entry import BoxContract, InputContract
from zoohub.manifest.schema import check_model
from zoohub.manifest.values import SchemaError
from zoohub.outputs import BoxTable
from zoohub.outputs.boxes import Boxes
from zoohub.tasks.contract import Row
from zoohub.tasks.detection.interpret import DetectionOptions, Measured, interpret_boxes
from zoohub.tasks.detection.metric import Detection
from zoohub.tasks.detection.pictures import DetectorInput, detector_rows
from zoohub.tasks.detection.rules import BoxRules, measured_rules, shown_rules
from zoohub.tasks.detection.samples import Objects, as_boxes
from zoohub.tasks.detection.selection import select_detections
from zoohub.tasks.finding import find_task
from zoohub.training import parse_recipe

FACES = BoxContract(threshold=0.02, eval_threshold=0.02, iou=0.4, inclusive="picture", most=30_000)
LAYOUTS = BoxContract(threshold=0.5, multi_label=True, iou=0.7)
NAMES = ("title", "text", "figure", "table", "list")


def row(contract: BoxContract, picture: tuple[int, int], resized: tuple[int, int], left: int = 0):
    """The row of a picture that lies in its input so."""
    return Row({}, DetectorInput(picture, resized, 0, left, contract))


def said_by(shared: Path, name: str) -> Any:
    return json.loads((shared / f"oracle/golden/postprocess/{name}.json").read_text())


def test_faces_are_those_that_mindface_finds(shared: Path) -> None:
    said = said_by(shared, "retinaface")
    height, width = said["image_size"]
    priors = np.array(
        [
            ((x + 0.5) * step, (y + 0.5) * step, side, side)
            for step, sides in zip(said["steps"], said["min_sizes"], strict=True)
            for y in range(math.ceil(height / step))
            for x in range(math.ceil(width / step))
            for side in sides
        ]
    )
    offsets = np.random.default_rng(5).standard_normal((1, len(priors), 4)) * 0.5
    centres = priors[:, :2] + offsets[0, :, :2] * said["variance"][0] * priors[:, 2:]
    sizes = priors[:, 2:] * np.exp(offsets[0, :, 2:] * said["variance"][1])
    scores = np.random.default_rng(6).random((1, len(priors)))
    scores = np.where(scores > 0.9, scores, 0.01).astype(np.float32)
    boxes = np.concatenate([centres, sizes], 1).astype(np.float32)
    form = Boxes(boxes[None], None, scores[..., None])
    found = select_detections(form, 0, shown_rules(FACES), to_picture=lambda box: box / 0.5)
    corners = (found.boxes / np.float32(0.5)).astype(int)  # the publisher cuts them to whole pixels
    ours = np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], 1)
    theirs = np.array(said["result_x_y_w_h_score"])
    np.testing.assert_allclose(found.scores, theirs[:, 4], atol=1e-5)
    np.testing.assert_array_equal(ours, theirs[:, :4])
    assert len(select_detections(form, 0, BoxRules(confidence=0.02))) > len(theirs)


@pytest.mark.parametrize("case", [0, 1])
def test_parts_of_a_page_are_those_that_mindocr_finds(shared: Path, case: int) -> None:
    said = said_by(shared, "layout_yolov8")
    random = np.random.default_rng(4)
    centres, sizes = random.uniform(60, 600, (60, 2)), random.uniform(30, 200, (60, 2))
    scores = random.random((60, 5)) ** 4
    centres[30:] = centres[:30] + random.uniform(-6, 6, (30, 2))
    sizes[30:] = sizes[:30]
    boxes = np.concatenate([centres, sizes], 1).astype(np.float32)
    form = Boxes(boxes[None], None, scores.astype(np.float32)[None])
    theirs = said["cases"][case]
    options = Measured() if theirs["conf_thres"] == 0.001 else DetectionOptions()
    assert shown_rules(LAYOUTS).confidence == said["cases"][1]["conf_thres"]
    page = row(LAYOUTS, (1000, 800), (640, 512), left=64)
    (found,) = interpret_boxes(form, [page], NAMES, options)
    categories = dict(zip(NAMES, said["class_index_to_category_id"], strict=True))
    assert {said["categories"][str(categories[name])] for name in NAMES} == set(NAMES)
    assert all(said["categories"][str(categories[name])] == name for name in NAMES)
    assert len(found) == theirs["count"]
    assert sum(label.score for label in found) == pytest.approx(theirs["score_sum"], abs=1e-3)
    ours = np.array([label.box for label in found])
    ours[:, 2:] -= ours[:, :2]
    assert ours.sum() == pytest.approx(theirs["bbox_sum"], rel=1e-5)
    for one, label, box in zip(theirs["first"], found, ours, strict=False):
        assert one["category_id"] == categories[label.label]
        assert one["bbox"] == pytest.approx(box.tolist(), abs=2e-3)
        assert one["score"] == pytest.approx(label.score, abs=1e-5)


# -- each rule beside the definition, written box by box ------------------------------------


def shared_part(one: Sequence[float], other: Sequence[float], pixel: float) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0]) + pixel
    height = min(one[3], other[3]) - max(one[1], other[1]) + pixel
    both = max(width, 0.0) * max(height, 0.0)
    first, second = ((b[2] - b[0] + pixel) * (b[3] - b[1] + pixel) for b in (one, other))
    return both / (first + second - both)


def apart(one: Sequence[float], other: Sequence[float]) -> float:
    across = max(one[2], other[2]) - min(one[0], other[0])
    down = max(one[3], other[3]) - min(one[1], other[1])
    x, y = ((one[i] + one[i + 2] - other[i] - other[i + 2]) / 2 for i in (0, 1))
    return (x * x + y * y) / (across * across + down * down)


def by_definition(boxes: np.ndarray, scores: np.ndarray, rules: BoxRules) -> list[tuple[Any, ...]]:
    """(score, class, box) of all that stay, best first; `boxes` are corners as they are counted."""
    pixel = 0.0 if rules.inclusive is None else 1.0
    stay: list[tuple[Any, ...]] = []
    for label in range(scores.shape[1]):
        own = [
            [float(scores[i, label]), i]
            for i in range(len(boxes))
            if scores[i, label] > rules.confidence
            and (rules.multi_label or scores[i].argmax() == label)
        ]
        left = sorted(own, key=lambda one: (-one[0], one[1]))
        kept: list[list[float]] = []
        while left:
            if rules.suppression == "soft":
                left.sort(key=lambda one: -one[0])
            best = left.pop(0)
            kept.append(best)
            rest = []
            for one in left:
                first, second = boxes[int(best[1])].tolist(), boxes[int(one[1])].tolist()
                part = shared_part(first, second, pixel)
                if rules.suppression.startswith("soft"):
                    one[0] *= math.exp(-(part**2) / 0.5)
                    if one[0] >= 0.001:
                        rest.append(one)
                    continue
                if rules.suppression == "diou":
                    part -= apart(first, second)
                if part <= rules.iou:
                    rest.append(one)
            left = rest
            if len(kept) == rules.most_of_class:
                break
        stay += [(score, label, int(i)) for score, i in kept if score > rules.least]
    return sorted(stay, key=lambda one: -one[0])[: rules.most]


@pytest.mark.parametrize(
    "rules",
    [
        BoxRules(confidence=0.1, multi_label=True, iou=0.6, inclusive="picture", most_of_class=3),
        BoxRules(confidence=0.05, iou=0.5, inclusive="input", most=30_000),
        BoxRules(confidence=0.05, iou=0.3, most=7),
        BoxRules(confidence=0.01, multi_label=True, suppression="diou", iou=0.4, inclusive="input"),
        BoxRules(confidence=0.1, multi_label=True, suppression="soft_in_order", left=0.001,
                 inclusive="picture"),
        BoxRules(confidence=0.1, suppression="soft", inclusive="picture"),
    ],
    ids=lambda rules: f"{rules.suppression}-{rules.inclusive}-{rules.most}",
)  # fmt: skip
def test_rules_are_those_of_their_definition(rules: BoxRules) -> None:
    chosen = 0
    for seed in range(6):
        random = np.random.default_rng(seed)
        places = np.floor(random.random((60, 2)) * 3) * 8 + random.random((60, 2)) * 4
        boxes = np.concatenate([places, 3 + 9 * random.random((60, 2))], 1).astype(np.float32)
        scores = random.random((60, 3), dtype=np.float32) ** 2
        form = Boxes(boxes[None], None, scores[None])
        found = select_detections(form, 0, rules, to_picture=lambda box: box * 2 - 3)
        corners = np.concatenate([places - boxes[:, 2:] / 2, places + boxes[:, 2:] / 2], 1)
        counted = corners * 2 - 3 if rules.inclusive == "picture" else corners
        expected = by_definition(counted, scores, rules)
        np.testing.assert_allclose(found.scores, [one[0] for one in expected], rtol=1e-4)
        assert found.classes.tolist() == [one[1] for one in expected]
        assert found.candidates.tolist() == [one[2] for one in expected]
        np.testing.assert_allclose(found.boxes, corners[found.candidates], atol=1e-4)
        chosen += len(found)
    assert 6 * 5 < chosen < 6 * 180


def test_a_class_alone_may_have_to_score_too() -> None:
    """The first YOLOv5's: 0.9 times 0.09 scores higher than 0.3 times 0.2, and is no candidate."""
    boxes = np.array([[[10, 10, 4, 4], [50, 10, 4, 4]]], np.float32)
    objectness = np.array([[0.9, 0.3]], np.float32)
    scores = np.array([[[0.09, 0.05], [0.2, 0.15]]], np.float32)
    form = Boxes(boxes, objectness, scores)
    rules = BoxRules(confidence=0.001, class_confidence=0.1, multi_label=True)
    found = select_detections(form, 0, rules)
    assert found.candidates.tolist() == [1, 1]
    assert found.scores.tolist() == pytest.approx([0.06, 0.045])
    (one,) = select_detections(form, 0, BoxRules(confidence=0.001, class_confidence=0.1)).scores
    assert one == pytest.approx(0.06)


# -- what wins ------------------------------------------------------------------------------


def test_what_is_asked_for_wins_over_the_contract() -> None:
    contract = BoxContract(threshold=0.1, iou=0.6, multi_label=True, most=5, most_of_class=2)
    assert shown_rules(contract) == BoxRules(
        confidence=0.1, multi_label=True, iou=0.6, most_of_class=2, most=5
    )
    asked = shown_rules(contract, threshold=0.0, iou=0.3, multi_label=False, most=9)
    assert asked == BoxRules(confidence=0.0, iou=0.3, most_of_class=2, most=9)
    soft = BoxContract(suppression="soft")
    assert shown_rules(soft).soft
    assert shown_rules(soft, iou=0.5).suppression == "iou"
    assert shown_rules(BoxContract(suppression="diou"), iou=0.5).suppression == "diou"


def test_an_evaluation_has_its_own_threshold() -> None:
    assert measured_rules(BoxContract()) == BoxRules(confidence=0.001, multi_label=True)
    contract = BoxContract(threshold=0.5, eval_threshold=0.02, multi_label=False, iou=0.4)
    assert measured_rules(contract) == BoxRules(confidence=0.02, iou=0.4)
    weak = measured_rules(BoxContract(eval_threshold=0.1, suppression="soft_in_order"))
    assert (weak.confidence, weak.least) == (0.1, 0.001)


def test_predict_and_eval_follow_the_contract_of_the_row() -> None:
    pytest.importorskip("pycocotools")
    boxes = np.array([[[10, 10, 10, 10], [13, 10, 10, 10], [40, 40, 10, 10]]], np.float32)
    form = Boxes(boxes, None, np.array([[[0.9], [0.8], [0.15]]], np.float32))
    names = ("face",)
    loose = row(BoxContract(threshold=0.1, eval_threshold=0.1, iou=0.8), (64, 64), (64, 64))
    strict = row(BoxContract(threshold=0.1, eval_threshold=0.2, iou=0.4), (64, 64), (64, 64))
    plain = Row({}, Geometry((64, 64), (64, 64), 0, 0))

    def shown(one: Row, **options: Any) -> list[float]:
        (found,) = interpret_boxes(form, [one], names, DetectionOptions(**options))
        return [round(label.score, 2) for label in found]

    assert shown(loose) == [0.9, 0.8, 0.15]
    assert shown(strict) == [0.9, 0.15]
    assert shown(plain) == [0.9, 0.8]
    assert shown(strict, threshold=0.5, iou=0.9) == [0.9, 0.8]
    assert shown(loose, max_detections=1) == [0.9]
    # All three are there: who counts fewer finds fewer of them.
    truth = [Objects(as_boxes([[0, 5, 5, 15, 15], [0, 8, 5, 18, 15], [0, 35, 35, 45, 45]]))]
    measured = {}
    for name, one in (("loose", loose), ("strict", strict), ("plain", plain)):
        metric = Detection(names)
        metric.add(form, [one], truth)
        measured[name] = metric.figures()["map"]
    assert measured["loose"] == measured["plain"] == pytest.approx(1)
    assert measured["strict"] == pytest.approx(34 / 101, abs=0.01)  # one of three


def test_a_files_own_suppression_is_not_followed_by_another() -> None:
    rows = np.array(
        [[0, 0, 0, 9, 9, 0.9, 1], [0, 0, 0, 9, 9, 0.4, 1], [0, 0, 0, 9, 9, 0.05, 1]], np.float32
    )
    one = row(BoxContract(threshold=0.1, suppression="soft", most_of_class=1), (9, 9), (9, 9))
    (found,) = interpret_boxes(BoxTable(rows), [one], None, DetectionOptions())
    assert [round(label.score, 2) for label in found] == [0.9, 0.4]


@pytest.mark.parametrize(
    ("label", "said"),
    [
        (-1, "the class -1; classes count from 0"),
        (2**24, "the class 1.67772e.07; the last there can be is 16777215"),
        (1e30, "the class 1e.30; the last there can be"),
    ],
)
def test_a_table_with_a_class_that_cannot_be_names_nobody(label: float, said: str) -> None:
    rows = np.array([[0, 0, 0, 9, 9, 0.9, label]], np.float32)
    one = row(BoxContract(), (9, 9), (9, 9))
    for names in (None, ("cat", "dog")):
        with pytest.raises(DataError, match=said):
            interpret_boxes(BoxTable(rows), [one], names, DetectionOptions())


def test_rows_know_their_contract() -> None:
    picture = np.zeros((30, 40, 3), np.uint8)
    contract = InputContract(size=(32, 32), resize="letterbox", interpolation="area")
    (plain,) = detector_rows(contract)(picture)
    task = find_task("object-detection")
    (own,) = task.prepare(InputContract(size=(32, 32), resize="letterbox", interpolation="area",
                                        boxes=FACES))(picture)  # fmt: skip
    assert type(plain.geometry) is Geometry
    assert isinstance(own.geometry, DetectorInput)
    assert own.geometry.boxes == FACES
    assert (own.geometry.top, own.geometry.resized) == (4, (24, 32))


# -- the index ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("ssd300", (0.1, 0.1, 0.6, "picture", 100)),
        ("ssd_inceptionv2", (0.25, 1e-8, 0.6, "picture", 100)),
        ("retinanet", (0.1, 0.1, 0.6, "picture", 100)),
        ("refinedet", (0.1, 0.1, 0.6, "picture", 100)),
        ("efficientdetd0", (0.05, 0.05, 0.5, "input", None)),
        ("retinaface_resnet50@mindface", (0.5, 0.02, 0.4, "picture", None)),
        ("retinaface_resnet50", (0.02, 0.02, 0.4, "picture", None)),
        ("facedetection", (0.1, 0.1, 0.45, "picture", None)),
        ("yolov8n", (None, None, 0.7, None, None)),
        ("faster_rcnn_resnetv1_50", (0.05, 0.05, None, None, None)),  # the rest is its search's
        ("yolov7", (None, None, None, None, None)),
        ("layout_yolov8n", (0.5, None, 0.7, None, None)),
    ],
)
def test_the_index_has_what_publishers_say(name: str, said: tuple[object, ...]) -> None:
    boxes = contract_of(name)
    assert boxes is not None
    found = (boxes.threshold, boxes.eval_threshold, boxes.iou, boxes.inclusive,
             boxes.most_of_class)  # fmt: skip
    assert found == said


def contract_of(name: str) -> BoxContract | None:
    from zoohub.manifest.opening import open_index
    from zoohub.settings import load_settings

    resolved = open_index(load_settings()).resolve(name)
    assert resolved.checkpoint is not None
    assert resolved.checkpoint.input is not None
    return resolved.checkpoint.input.boxes


def test_what_zoohub_trained_is_shown_by_zoohubs_rule() -> None:
    assert contract_of("yolov8n@digits") is None
    assert contract_of("yolov10n") is None  # chooses its boxes itself
    assert contract_of("layout_yolov8n") == contract_of("yolov8n@mindocr") == LAYOUTS


def test_a_page_finds_its_model() -> None:
    assert "layout_yolov8n" in {entry.model for entry in zoohub.search("document layout")}


@pytest.mark.parametrize(
    "boxes",
    [{"iou": 1.5}, {"most": 0}, {"suppression": "none"}, {"inclusive": True}, {"colour": 1}],
)
def test_boxes_that_are_none_are_refused(boxes: dict[str, object]) -> None:
    (name,) = boxes
    model = {"model": "m", "family": "f", "task": "t", "input": {"boxes": boxes}}
    with pytest.raises(SchemaError) as caught:
        check_model(model)
    assert name in caught.value.where
    text = (
        "model: lenet5\ndata: {kind: digits, train: [1, 2], validation: []}\n"
        f"input: {{size: [32, 32], boxes: {json.dumps(boxes)}}}\n"
    )
    with pytest.raises(RecipeError, match=name):
        parse_recipe(text)


def test_a_file_that_leaves_out_no_more_than_the_evaluation_is_no_worse() -> None:
    task = find_task("object-detection")
    ssd = InputContract(boxes=BoxContract(eval_threshold=0.1))
    (said,) = task.warn(0.25, ssd)
    assert "below 0.25" in said
    assert "from 0.1" in said
    assert task.warn(0.1, ssd) == task.warn(None, ssd) == ()
    assert task.warn(0.1, InputContract()) != ()
