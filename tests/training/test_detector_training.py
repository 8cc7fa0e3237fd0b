"""A detector really trains: tiny, through `finetune`, stopped and resumed, and is a model after."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image

from zoohub import evaluate
from zoohub.checkpoint import load_weights
from zoohub.inputs.picture import files
from zoohub.inputs.picture.digits import heldout_digits
from zoohub.tasks.detection.scenes import CLASSES, make_scenes
from zoohub.tasks.recipe import recipe_text
from zoohub.training import finetune, parse_recipe, read_recipe
from zoohub.training.network import build_network
from zoohub.training.session import open_session

pytest.importorskip("pycocotools")

ROOT = Path(__file__).resolve().parents[2]
RECIPE = ROOT / "recipes" / "yolov5n-digits.yaml"
TINY = """
task: object-detection
model: yolov5n
network: {builder: yolov5, arguments: {size: n, width: 0.125}, head: model.model.24.m}
data: {kind: boxes, path: data.yaml}
input: {size: [64, 64], resize: letterbox}
augment: {mosaic: 0.3, scale: 0.1, shift: 0.05, flip: 0, last: 22}
optimizer: {name: adamw, lr: 0.005}
schedule: {warmup: 0.5}
epochs: 24
evaluate_every: 24
batch_size: 8
most_boxes: 12
ema: 0.9
"""


def _data(folder: Path) -> Path:
    """32 scenes to train on and 8 more, as files in YOLO's format."""
    scenes = make_scenes(heldout_digits(), "test", 40, 64)
    for place in range(40):
        part = "train" if place < 32 else "val"
        for kind in ("images", "labels"):
            (folder / kind / part).mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.asarray(scenes.inputs[place])).save(
            folder / "images" / part / f"{place}.png"
        )
        lines = [
            f"{int(c)} {(x1 + x2) / 128} {(y1 + y2) / 128} {(x2 - x1) / 64} {(y2 - y1) / 64}"
            for c, x1, y1, x2, y2 in scenes.targets[place].boxes.tolist()
        ]
        (folder / "labels" / part / f"{place}.txt").write_text("\n".join(lines))
    content = {"train": "images/train", "val": "images/val", "names": list(CLASSES)}
    (folder / "data.yaml").write_text(yaml.safe_dump(content))
    file = folder / "recipe.yaml"
    file.write_text(TINY)
    return file


class _Stopped(Exception):
    pass


@pytest.mark.slow
def test_a_detector_trains_resumes_to_the_same_weights_and_predicts(tmp_path: Path) -> None:
    recipe = _data(tmp_path)
    losses: list[float] = []
    whole = finetune(
        recipe, output=tmp_path / "whole", on_epoch=lambda report: losses.append(report.loss)
    )
    # Mosaics come and go by chance in the first two epochs; then the same pictures come again.
    assert len(losses) == 24
    assert losses[21] < losses[15] < losses[9] < losses[2]
    assert losses[21] < 0.85 * losses[2]
    assert 0 <= whole.metrics["map"] <= whole.metrics["map50"] <= 1
    for name in ("weights.ckpt", "weights.safetensors", "recipe.yaml", "metrics.jsonl",
                 "curve.svg", "report.html", "split.csv", "run.json"):  # fmt: skip
        assert (whole.path / name).stat().st_size > 0
    assert len((whole.path / "metrics.jsonl").read_text().splitlines()) == 24

    def stop(report: Any) -> None:
        if (report.epoch, report.step) == (2, 3):
            raise _Stopped

    with pytest.raises(_Stopped):
        finetune(recipe, output=tmp_path / "cut", on_step=stop, save_seconds=0)
    resumed = finetune(tmp_path / "cut", resume=True)
    expected, found = (load_weights(run.path / "weights.ckpt") for run in (whole, resumed))
    assert list(expected) == list(found)
    for name in expected:
        np.testing.assert_array_equal(found[name], expected[name], err_msg=name)

    again = evaluate(whole.path, tmp_path / "data.yaml", engine="mindspore")
    assert again["map50"] == pytest.approx(whole.metrics["map50"], abs=1e-6)
    document = json.loads((whole.path / "run.json").read_text())
    assert document["model"]["task"] == "object-detection"
    assert document["classes"] == list(CLASSES)


@pytest.mark.slow
def test_pictures_found_broken_only_while_training_are_left_out_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = _data(tmp_path)
    options = ["epochs=1", "augment.last=0", "ema=null"]
    monkeypatch.setattr(files, "DECODED_BYTES", 0)  # as with more data: headers only
    broken = [str(tmp_path / "images" / name) for name in ("train/3.png", "val/33.png")]
    for name in broken:
        whole = Path(name).read_bytes()
        Path(name).write_bytes(whole[: len(whole) // 2])
    said: list[str] = []
    run = finetune(recipe, output=tmp_path / "run", assignments=options, say=said.append)
    page = (run.path / "report.html").read_text()
    for name in broken:
        (line,) = [text for text in said if name in text]
        assert line.startswith("left out: ")
        assert name in page
    assert "2 pictures were left out" in page
    metrics = json.loads((run.path / "run.json").read_text())["metrics"]
    assert metrics["data"] == {
        "classes": 10, "train": 32, "validation": 8, "test": 0, "skipped": 2,
    }  # fmt: skip
    assert metrics["validation"]["count"] == 7


@pytest.mark.slow
@pytest.mark.every
def test_two_workers_train_a_detector_as_one_with_twice_the_batch(tmp_path: Path) -> None:
    recipe = _data(tmp_path)
    options = [
        "epochs=1", "augment.last=0", "ema=null", "sync_batch_norm=true", "optimizer.name=sgd",
        "optimizer.lr=0.01",
    ]  # fmt: skip
    runs = [
        finetune(recipe, output=tmp_path / str(count), workers=count, assignments=options)
        for count in (1, 2)
    ]
    expected, found = (load_weights(run.path / "last.ckpt") for run in runs)
    session = open_session(read_recipe(runs[0].path / "recipe.yaml"))
    start = {p.name: p.asnumpy() for p in build_network(session).get_parameters()}
    for name in start:
        way = np.abs(expected[name] - start[name]).max()
        apart = np.abs(found[name] - expected[name]).max()
        assert apart <= 0.01 * way + 1e-6, (name, apart, way)


def test_a_recipe_written_out_in_full_reads_back_the_same() -> None:
    recipe = read_recipe(RECIPE, ["epochs=3", "loss.classes=1"])
    assert recipe.loss.classes == 1
    assert parse_recipe(recipe_text(recipe)) == recipe
