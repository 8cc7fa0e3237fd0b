"""A head trained on kept features is the head that training with the rest frozen gives."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import zoohub
from tests.full_disk import files_limited_to
from zoohub.checkpoint import load_weights
from zoohub.cli.main import main
from zoohub.core import notes
from zoohub.errors import RecipeError, StoreError
from zoohub.inputs.picture.digits import heldout_digits
from zoohub.settings import Settings, load_settings
from zoohub.tasks.classification.recipe import ClassificationRecipe
from zoohub.training import finetune, parse_recipe
from zoohub.training.frozen.features import BodyRunner
from zoohub.training.frozen.shards import shard_key
from zoohub.training.memory import run_session
from zoohub.training.recorded import train
from zoohub.training.reports import Hooks, StepReport
from zoohub.training.run import load_run
from zoohub.training.session import open_session

pytest.importorskip("sklearn")

RECIPE = """\
model: lenet5
checkpoint: digits
data: {kind: digits, train: [2, 3], validation: [1], part: 0.3}
optimizer: {name: adamw, lr: 0.01, weight_decay: 0.05}
label_smoothing: 0.1
epochs: 3
batch_size: 32
seed: 7
"""
BODY = ("conv1", "conv2", "fc1", "fc2")


def recipe(text: str = "freeze: backbone\n") -> ClassificationRecipe:
    found = parse_recipe(RECIPE + text)
    assert isinstance(found, ClassificationRecipe)
    return found


def losses(given: ClassificationRecipe, settings: Settings) -> tuple[list[float], dict[str, Any]]:
    """The loss of each step, and the last weights."""
    found: list[float] = []
    kept: dict[str, Any] = {}

    def hear(report: StepReport, *_: object) -> None:
        found.append(report.loss)

    hooks = Hooks(after_step=hear, keep=kept.__setitem__)
    run_session(open_session(given, settings), hooks)
    return found, kept["last"]


@pytest.mark.slow
@pytest.mark.parametrize(("engine", "limit"), [("mindspore", 1e-6), ("auto", 1e-4)])
def test_it_learns_what_the_whole_network_does_with_the_same_layers_frozen(
    engine: str, limit: float
) -> None:
    settings = replace(load_settings(), engine=engine)
    slow, whole = losses(replace(recipe(""), frozen=BODY), settings)
    fast, head = losses(recipe(), settings)
    assert fast == pytest.approx(slow, rel=limit)
    assert list(head) == list(whole)
    for name, expected in whole.items():
        assert head[name] == pytest.approx(expected, rel=10 * limit, abs=limit), name
    assert fast[-1] != fast[0]


@pytest.mark.slow
def test_the_run_is_as_any_other(tmp_path: Path) -> None:
    data = folder(tmp_path / "data", 60)
    said: list[str] = []
    run = finetune(
        "lenet5@digits", data, freeze="backbone", epochs=2, output=tmp_path / "run", say=said.append
    )
    assert any("only the head learns, 170 of 61,004 values" in text for text in said)
    assert any("left out: all learning beneath it" in text for text in said)
    started, weights = zoohub.load_weights("lenet5@digits"), load_weights(run.path / "weights.ckpt")
    assert weights.keys() == started.keys()
    assert weights["fc3.weight"].shape == (2, 84)
    body = [name for name in started if not name.startswith("fc3.")]
    assert all((weights[name] == started[name]).all() for name in body)
    assert not (run.path / "state").exists()
    assert "freeze: backbone" in (run.path / "recipe.yaml").read_text()
    measured = zoohub.evaluate(run.path, data, engine="mindspore")  # its validation part is not it
    assert measured["count"] == 60
    (found,) = zoohub.predict(run.path, next(data.rglob("*.png")), top=1)
    assert found.predictions[0].label in ("0", "1")
    zoohub.export(run.path, tmp_path / "run.onnx")
    assert main(["finetune", str(run.path), "--resume", "--epochs", "3", "-q"]) == 0
    lines = (run.path / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["epoch"] for line in lines] == [1, 2, 3]


def folder(parent: Path, count: int) -> Path:
    """Pictures of the digits 0 and 1, a folder each."""
    digits = heldout_digits()
    for place in [i for i, label in enumerate(digits.labels) if label < 2][:count]:
        path = parent / str(digits.labels[place]) / f"{place:03}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.asarray(digits.images[place], np.uint8)).save(path)
    return parent


class Killed(Exception):
    """As a kill: nothing is cleaned up by us."""


def begun(output: Path, monkeypatch: pytest.MonkeyPatch, text: str = "") -> list[str]:
    """A run that ends in its second epoch; what was noted as it went on."""
    said: list[str] = []
    monkeypatch.setattr(notes, "listener", said.append)

    def die(report: Any) -> None:
        if report.epoch == 2:
            raise Killed

    given = recipe("freeze: backbone\n" + text)
    with pytest.raises(Killed):
        finetune(given, output=output, on_step=die)
    return said


@pytest.mark.slow
def test_a_resumed_run_reads_its_features_and_ends_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "views: 2\naugment: {rotate: 10, shift: 0.1}\nema: 0.9\n"
    whole = train(recipe("freeze: backbone\n" + text))
    begun(tmp_path / "run", monkeypatch, text)
    monkeypatch.setattr("zoohub.training.frozen.features.BodyRunner.run", None)  # not asked again
    run = finetune(recipe(), output=tmp_path / "run", resume=True)
    found = load_weights(run.path / "weights.ckpt")
    assert all((found[name] == array).all() for name, array in whole.weights.items())


@pytest.mark.slow
@pytest.mark.parametrize("harm", ["cut", "flipped", "other", "label", "no sidecar"])
def test_damaged_features_are_noticed_and_computed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, harm: str
) -> None:
    whole = train(recipe())
    said = begun(tmp_path / "run", monkeypatch)
    kept = tmp_path / "run" / "state" / "features"
    content = (kept / "train-00000.npy").read_bytes()
    if harm == "cut":
        (kept / "train-00000.npy").write_bytes(content[:-100])
    elif harm == "flipped":
        (kept / "train-00000.npy").write_bytes(content[:-5] + b"\x55" + content[-4:])
    elif harm == "other":  # features of another version of the networks
        known = {**json.loads((kept / "train-00000.json").read_text()), "key": "0" * 64}
        del known["own"]
        known["own"] = shard_key(known)
        (kept / "train-00000.json").write_text(json.dumps(known))
    elif harm == "label":
        known = json.loads((kept / "train-00000.json").read_text())
        known["labels"][0] = (known["labels"][0] + 1) % 10
        (kept / "train-00000.json").write_text(json.dumps(known))
    else:
        (kept / "train-00000.json").unlink()
    run = finetune(recipe(), output=tmp_path / "run", resume=True)
    assert any("computed again" in text for text in said) == (harm != "no sidecar")
    found = load_weights(run.path / "weights.ckpt")
    assert all((found[name] == array).all() for name, array in whole.weights.items())


def counting(monkeypatch: pytest.MonkeyPatch, most: int) -> list[int]:
    """How many pictures each call of the body has had; after `most` calls the run is killed."""
    calls: list[int] = []
    compute = BodyRunner.run

    def run(self: BodyRunner, image: Any) -> Any:
        if len(calls) == most:
            raise Killed
        calls.append(len(image))
        return compute(self, image)

    monkeypatch.setattr(BodyRunner, "run", run)
    return calls


@pytest.mark.slow
def test_features_computed_before_a_kill_are_not_computed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zoohub.training.frozen.features.ROWS", 32)
    with monkeypatch.context() as patch:
        counting(patch, 20)
        with pytest.raises(Killed):
            finetune(recipe(), output=tmp_path / "run")
    calls = counting(monkeypatch, -1)
    run = finetune(recipe(), output=tmp_path / "run", resume=True)
    data = load_run(run.path).metrics["data"]
    assert sum(calls) == data["train"] + data["validation"] - 2 * 32  # of twenty batches of four


@pytest.mark.slow
def test_a_disk_that_is_full_is_told_and_the_run_goes_on_later(tmp_path: Path) -> None:
    zoohub.load_weights("lenet5@digits")  # in the store before the disk is full
    with files_limited_to(40_000), pytest.raises(StoreError, match="features"):
        finetune(recipe(), output=tmp_path / "run")
    assert finetune(recipe(), output=tmp_path / "run", resume=True).metrics["epochs"] == 3


@pytest.mark.slow
def test_what_cannot_be_read_is_left_out_and_told(tmp_path: Path) -> None:
    data = folder(tmp_path / "data", 40)
    for label in ("0", "1"):
        for number in range(4):
            (data / label / f"broken{number}.png").write_bytes(b"no picture")
    said: list[str] = []
    run = finetune(
        "lenet5@digits", data, freeze="backbone", epochs=1, output=tmp_path / "run", say=said.append
    )
    assert load_run(run.path).metrics["data"]["skipped"] == 8


@pytest.mark.slow
def test_with_more_views_there_are_more_features(tmp_path: Path) -> None:
    data = folder(tmp_path / "data", 40)
    said: list[str] = []
    plain = finetune("lenet5@digits", data, freeze="backbone", epochs=1, output=tmp_path / "plain")
    assert "rotate: 0.0" in (plain.path / "recipe.yaml").read_text()
    finetune(
        "lenet5@digits", data, freeze="backbone", views=3, epochs=1, output=tmp_path / "varied",
        say=said.append,
    )  # fmt: skip
    assert any("3 random variants a picture" in text for text in said)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("views: 2\n", "views goes with freeze"),
        ("freeze: backbone\nfrozen: [conv1]\n", "exclude each other"),
        ("freeze: backbone\naugment: {mixup: 0.2}\n", "mix pictures anew"),
        ("freeze: backbone\naugment: {cutmix: 1.0}\n", "mix pictures anew"),
        ("freeze: head\n", "freeze"),
    ],
)
def test_a_recipe_that_makes_no_sense_is_refused(text: str, match: str) -> None:
    with pytest.raises(RecipeError, match=match):
        open_session(recipe(text))


def test_fresh_weights_are_not_frozen(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="fresh weights have learned nothing yet"):
        finetune("lenet5", "digits", checkpoint=None, freeze="backbone", output=tmp_path / "run")


def test_several_processes_are_refused_before_they_start(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="one process trains a head as fast"):
        finetune(recipe(), workers=2, output=tmp_path / "run")


def test_a_task_that_cannot_says_so() -> None:
    text = "task: object-detection\nmodel: yolov8n\ndata: {kind: digit-scenes}\nfreeze: backbone\n"
    with pytest.raises(RecipeError, match=r"not to .*; name the parts that shall not learn"):
        open_session(parse_recipe(text))


@pytest.mark.slow
def test_a_task_that_cannot_says_so_before_it_fetches_weights(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"not to .*; name the parts that shall not learn"):
        finetune("yolov5s", "digit-scenes", freeze="backbone", output=tmp_path, offline=True)
