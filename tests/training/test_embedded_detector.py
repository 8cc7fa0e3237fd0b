"""The detector that comes with zoohub finds what it has never seen, without a network."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from PIL import Image

import zoohub
from zoohub import evaluate
from zoohub.errors import DataError
from zoohub.inputs.picture.digits import heldout_digits
from zoohub.settings import Settings
from zoohub.tasks.detection.scenes import make_scene


@pytest.mark.slow
@pytest.mark.parametrize("model", ["yolov5n", "yolov8n", "yolov8n_seg"])
def test_the_embedded_detectors_find_the_digits_of_held_out_scenes(
    model: str, tmp_path: Path
) -> None:
    pytest.importorskip("pycocotools")
    settings = Settings(home=tmp_path, offline=True)
    found = evaluate(f"{model}@digits", "digit-scenes", settings=settings)
    checkpoint = zoohub.info(f"{model}@digits").checkpoint("digits")
    assert checkpoint is not None
    stated = checkpoint.metrics
    assert found["count"] == 400
    assert found["map50"] >= 0.9
    # What the index says of it, in percent, is what it does.
    assert stated.keys() == {
        key for key in ("map", "map50", "mask_map", "mask_map50") if key in found
    }
    for key, percent in stated.items():
        assert 100 * found[key] == pytest.approx(percent, abs=0.1), key


@pytest.mark.slow
def test_large_scenes_are_predicted_in_their_own_pixels(tmp_path: Path) -> None:
    files, truths = [], []
    for number in range(10):
        image, boxes = make_scene(heldout_digits(), "test", number, 384)
        files.append(tmp_path / f"{number}.png")
        Image.fromarray(image).save(files[-1])
        truths.append(boxes.tolist())
    predictions = zoohub.predict("yolov5n@digits", files, offline=True)
    right = [
        any(near) and max(near, key=lambda label: label.score).label == str(int(digit))
        for prediction, boxes in zip(predictions, truths, strict=True)
        for digit, *box in boxes
        for near in [[label for label in prediction.predictions if overlap(label.box, box) > 0.5]]
    ]
    assert sum(right) / len(right) >= 0.75


def overlap(one: Sequence[float] | None, other: Sequence[float]) -> float:
    """The two boxes' intersection over union."""
    assert one is not None
    sides = [max(0.0, min(one[i + 2], other[i + 2]) - max(one[i], other[i])) for i in (0, 1)]
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return sides[0] * sides[1] / (sum(areas) - sides[0] * sides[1])


@pytest.mark.slow
def test_where_all_boxes_were_left_out_it_is_said_why(tmp_path: Path) -> None:
    pytest.importorskip("pycocotools")
    Image.new("RGB", (40, 20)).save(tmp_path / "a.png")
    content = {
        "images": [{"id": 1, "file_name": "a.png"}],
        "categories": [{"id": 7, "name": "3"}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 9, "bbox": [1, 1, 5, 5]}],
    }
    (tmp_path / "a.json").write_text(json.dumps(content))
    settings = Settings(home=tmp_path / "home", offline=True)
    with pytest.raises(DataError, match=r"no boxes in the 1 .*; 1 annotation of an unknown cat"):
        evaluate("yolov8n@digits", tmp_path / "a.json", settings=settings)
