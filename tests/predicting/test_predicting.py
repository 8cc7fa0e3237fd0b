"""Predicting pictures, from the files to the labels."""

import json
import os
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from zoohub.core.atomic import fresh_name
from zoohub.errors import DataError, UsageError
from zoohub.manifest.entry import InputContract
from zoohub.models.class_names import class_names
from zoohub.outputs.boxes import packed_boxes
from zoohub.outputs.class_scores import class_scores
from zoohub.predicting import Prediction, Predictor, predict_inputs
from zoohub.predicting.predicting import suitable_batch
from zoohub.tasks.finding import find_task

CLASSIFIER = InputContract(size=(16, 16), interpolation="bilinear", crop=1.0)
DETECTOR = InputContract(size=(64, 64), interpolation="area", resize="letterbox")
NAMES = ("red", "green", "blue")


def classifier(runner, names=NAMES, contract=CLASSIFIER) -> Predictor:
    return Predictor(find_task("image-classification"), runner, class_scores, contract, names)


def classify(runner, inputs, names=NAMES, batch_size=8, **options) -> list[Prediction]:
    return list(predict_inputs(classifier(runner, names), inputs, options, batch_size=batch_size))


def detect(runner, inputs, names=("cat", "dog"), save=None, **options) -> list[Prediction]:
    task = find_task("object-detection")
    predictor = Predictor(task, runner, packed_boxes, DETECTOR, names, "onnxruntime")
    return list(predict_inputs(predictor, inputs, options, save=save))


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Nine pictures of different sizes, red, green and blue in turn."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(9):
        image = Image.new("RGB", (20 + 7 * number, 40), NAMES[number % 3])
        image.save(folder / f"{number}.png")
    return folder


def white_box(box: tuple[int, int, int, int], size: tuple[int, int]) -> Image.Image:
    image = Image.new("RGB", size, (40, 40, 40))
    x1, y1, x2, y2 = box
    ImageDraw.Draw(image).rectangle((x1, y1, x2 - 1, y2 - 1), fill="white")
    return image


def first_labels(predictions: Iterable[Prediction]) -> list[str]:
    return [p.predictions[0].label if p.predictions else "-" for p in predictions]


@pytest.mark.parametrize(("batch_size", "batches"), [(1, [1] * 9), (4, [4, 4, 1]), (20, [9])])
def test_pictures_of_different_sizes_are_run_in_batches(colours, pictures, batch_size, batches):
    predictions = classify(colours, pictures, batch_size=batch_size)
    assert colours.batches == batches
    assert first_labels(predictions) == ["red", "green", "blue"] * 3
    assert [Path(p.input).name for p in predictions] == [f"{n}.png" for n in range(9)]


def test_scores_are_a_softmax_best_first(colours):
    picture = np.full((16, 16, 3), (255, 51, 0), np.uint8)
    (prediction,) = classify(colours, picture, top=2)
    red, green = prediction.predictions
    exponentials = np.exp([10, 2, 0])
    assert (red.label, red.index, red.box) == ("red", 0, None)
    assert red.score == pytest.approx(exponentials[0] / exponentials.sum())
    assert green.score == pytest.approx(exponentials[1] / exponentials.sum())


def test_top_is_at_most_the_number_of_classes_and_ties_keep_their_order(colours):
    (prediction,) = classify(colours, np.zeros((16, 16, 3), np.uint8), top=9)
    assert [label.index for label in prediction.predictions] == [0, 1, 2]


def test_weak_classes_are_left_out_below_a_threshold(colours, pictures):
    (prediction,) = classify(colours, pictures / "0.png", threshold=0.5)
    assert [label.label for label in prediction.predictions] == ["red"]


def test_of_1001_outputs_the_first_1000_are_the_classes(thousand_and_one):
    picture = np.zeros((16, 16, 3), np.uint8)
    (prediction,) = classify(thousand_and_one, picture, class_names("imagenet-1k"), top=1001)
    assert len(prediction.predictions) == 1000
    assert sum(label.score for label in prediction.predictions) == pytest.approx(1)
    (unnamed,) = classify(thousand_and_one, picture, None, top=1001)
    assert [label.label for label in unnamed.predictions[:2]] == ["class 0", "class 1"]
    assert len(unnamed.predictions) == 1000


def test_an_input_that_cannot_be_read_leaves_the_others(colours, pictures):
    (pictures / "3.png").write_bytes(b"not a picture")
    predictions = classify(colours, [pictures, pictures / "absent.png"], batch_size=4)
    labels = first_labels(predictions)
    assert labels == ["red", "green", "blue", "-", "green", "blue", "red", "green", "blue", "-"]
    assert "3.png is not an image" in str(predictions[3].error)
    assert "no such file" in str(predictions[9].error)
    assert colours.batches == [4, 4]


def test_where_every_input_fails_the_network_is_not_run(colours, tmp_path):
    predictions = classify(colours, [tmp_path / "a.png", tmp_path / "b.png"])
    assert [p.error is not None for p in predictions] == [True, True]
    assert colours.batches == []


def test_predictions_come_while_later_inputs_are_still_unread(colours, pictures):
    predictions = predict_inputs(classifier(colours), pictures, batch_size=2)
    next(predictions)
    assert colours.batches == [2]


def test_json_has_either_predictions_or_an_error(colours, white_boxes, pictures):
    (good, bad) = classify(colours, [pictures / "0.png", pictures / "x.png"], top=1)
    assert good.to_json() == {
        "input": str(pictures / "0.png"),
        "engine": "mindspore",
        "predictions": [{"label": "red", "index": 0, "score": 0.999909, "box": None}],
    }
    assert bad.to_json() == {"input": str(pictures / "x.png"), "error": bad.error}
    (found,) = detect(white_boxes, white_box((10, 20, 30, 40), (64, 64)))
    assert found.engine == "onnxruntime"
    assert json.loads(json.dumps(found.to_json()))["predictions"] == [
        {"label": "dog", "index": 1, "score": 0.9, "box": [10.0, 20.0, 30.0, 40.0]}
    ]


@pytest.mark.parametrize("size", [(64, 64), (640, 480), (30, 50), (200, 600)])
def test_boxes_are_in_pixels_of_the_picture_whatever_its_size(white_boxes, size):
    width, height = size
    box = (width // 4, height // 4, width // 2, height * 3 // 4)
    (prediction,) = detect(white_boxes, white_box(box, size))
    (label,) = prediction.predictions
    assert (label.label, label.index) == ("dog", 1)
    assert label.score == pytest.approx(0.9)
    assert label.box is not None
    assert np.abs(np.subtract(label.box, box)).max() <= max(1, max(size) / 64)


def test_boxes_of_a_turned_photo_are_in_the_upright_picture(white_boxes, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    white_box((0, 0, 32, 16), (64, 32)).save(tmp_path / "a.png", exif=exif)
    (prediction,) = detect(white_boxes, tmp_path / "a.png", save=tmp_path / "drawn.png")
    assert prediction.predictions[0].box == (16, 0, 32, 32)
    assert Image.open(tmp_path / "drawn.png").size == (32, 64)


def test_nothing_found_is_no_error(white_boxes):
    (prediction,) = detect(white_boxes, np.zeros((64, 64, 3), np.uint8))
    assert prediction.predictions == ()
    assert prediction.error is None


def test_threshold_and_overlap_are_the_callers(white_boxes):
    picture = white_box((10, 20, 30, 40), (64, 64))
    assert len(detect(white_boxes, picture, iou=1.0)[0].predictions) == 2
    assert len(detect(white_boxes, picture, threshold=0.95)[0].predictions) == 0
    assert len(detect(white_boxes, picture, iou=1.0, max_detections=1)[0].predictions) == 1


def test_what_a_killed_drawing_left_goes_with_the_next(white_boxes, tmp_path):
    target = tmp_path / "drawn.png"
    left, young = fresh_name(target), fresh_name(target)
    for path, hours in ((left, 2), (young, 0)):
        path.write_bytes(b"half a picture")
        os.utime(path, (time.time() - 3600 * hours,) * 2)
    detect(white_boxes, white_box((80, 80, 160, 160), (256, 256)), save=target)
    assert [*tmp_path.glob(".*")] == [young]


def test_one_drawing_goes_to_the_file_named(white_boxes, tmp_path):
    target = tmp_path / "out" / "drawn.png"
    (prediction,) = detect(white_boxes, white_box((80, 80, 160, 160), (256, 256)), save=target)
    assert prediction.saved == str(target)
    drawn = np.asarray(Image.open(target)).astype(int)
    assert (drawn.max(axis=2) - drawn.min(axis=2) > 60).sum() > 500  # coloured, on grey


def test_a_file_for_one_drawing_has_a_pictures_name(white_boxes, tmp_path):
    picture = white_box((80, 80, 160, 160), (256, 256))
    with pytest.raises(DataError, match=r"drawn\.xyz: no picture ends in \.xyz; name it \.png"):
        detect(white_boxes, picture, save=tmp_path / "drawn.xyz")
    drawn = str(tmp_path / "version.2" / "image 0.png")
    for save in (f"{tmp_path / 'version.2'}/", tmp_path / "version.2"):  # then it is there
        (prediction,) = detect(white_boxes, picture, save=save)
        assert prediction.saved == drawn


def test_several_drawings_go_to_a_folder_each_under_its_own_name(white_boxes, tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        white_box((10, 10, 30, 30), (64, 64)).save(tmp_path / folder / "cat.jpg")
    (tmp_path / "a" / "dog.png").write_bytes(b"damaged")
    predictions = detect(white_boxes, [tmp_path / "a", tmp_path / "b"], save=tmp_path / "out")
    assert [p.saved and Path(p.saved).name for p in predictions] == ["cat.jpg", None, "cat-1.jpg"]
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["cat-1.jpg", "cat.jpg"]


def test_a_drawing_never_overwrites_an_input(white_boxes, tmp_path):
    path = tmp_path / "cat.jpg"
    white_box((10, 10, 30, 30), (64, 64)).save(path)
    before = path.read_bytes()
    for save in (path, tmp_path, tmp_path / "x" / ".." / "cat.jpg"):
        with pytest.raises(DataError, match="would overwrite"):
            detect(white_boxes, path, save=save)
    assert path.read_bytes() == before


def test_one_file_cannot_hold_several_drawings(white_boxes, pictures, tmp_path):
    with pytest.raises(DataError, match="name a folder"):
        detect(white_boxes, pictures, save=tmp_path / "drawn.png")


@pytest.mark.parametrize(
    ("options", "arguments", "message"),
    [
        ({"top": 0}, {}, "top=0: a whole number from 1"),
        ({"top": 10**20}, {}, "top=1000.*: a number up to 9223372036854775807"),
        ({"top": 1.5}, {}, "top=1.5"),
        ({"threshold": float("nan")}, {}, "threshold=nan: a number from 0 to 1"),
        ({"iou": "0.5"}, {}, "iou='0.5'"),
        ({"topp": 3}, {}, "there is no option 'topp'; did you mean top"),
        (
            {"pooling": "mean"},
            {},
            "pooling=.* is for text-embedding; image.* not take it",
        ),
        ({}, {"batch_size": 0}, "batch_size=0: a whole number from 1"),
        ({}, {"save": "drawn.png"}, "drawings are made of detections"),
    ],
)
def test_wrong_arguments_are_refused_before_anything_runs(
    colours, pictures, options, arguments, message
):
    with pytest.raises((DataError, UsageError), match=message):
        predict_inputs(classifier(colours), pictures, options, **arguments)  # not iterated over


def test_a_task_that_is_not_there_is_named_with_those_that_are():
    with pytest.raises(DataError, match=r"task 'singing' but.*Predicted: image-class"):
        find_task("singing")


def test_an_incomplete_contract_is_refused_before_anything_runs(colours, pictures):
    with pytest.raises(DataError, match="size missing"):
        predict_inputs(classifier(colours, contract=replace(CLASSIFIER, size=None)), pictures)


def test_class_names_must_fit_the_network(colours, white_boxes, pictures):
    with pytest.raises(DataError, match="3 classes but 2 class names"):
        classify(colours, pictures, ("a", "b"))
    with pytest.raises(DataError, match="2 classes but 3 class names"):
        detect(white_boxes, pictures, NAMES)


def test_values_that_are_not_finite_are_an_error_and_not_a_label(pictures):
    class Broken:
        inputs = ("image",)

        def run(self, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
            return {"logits": np.full((len(inputs["image"]), 3), np.nan, np.float32)}

    with pytest.raises(DataError, match="not finite"):
        classify(Broken(), pictures)


def test_a_detector_is_not_taken_for_a_classifier(colours, white_boxes, pictures):
    with pytest.raises(DataError, match=r"\(N, classes\)"):
        classify(white_boxes, pictures)
    with pytest.raises(DataError, match="decoded boxes"):
        detect(colours, pictures)


@pytest.mark.parametrize(
    ("size", "engine", "kind", "batch"),
    [
        ((224, 224), "onnxruntime", "picture", 16),
        ((32, 32), "onnxruntime", "picture", 16),
        ((384, 384), "onnxruntime", "picture", 5),
        ((640, 640), "onnxruntime", "picture", 1),
        ((224, 224), "mindspore", "picture", 1),
        (None, "onnxruntime", "text", 1),
    ],
)
def test_a_batch_suits_the_pictures_size(
    size: tuple[int, int] | None, engine: str, kind: str, batch: int
) -> None:
    predictor: Any = SimpleNamespace(
        input=SimpleNamespace(size=size), task=SimpleNamespace(kind=kind), computing=engine
    )
    assert suitable_batch(predictor) == batch
