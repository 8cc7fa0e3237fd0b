"""Fine-tuning from a folder of pictures leaves a folder that works like any model."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

import zoohub
from zoohub import evaluate
from zoohub.checkpoint import load_weights
from zoohub.errors import CheckpointCorrupt, DataError, RecipeError, StoreError, UsageError
from zoohub.inputs.picture import files
from zoohub.inputs.picture.digits import heldout_digits
from zoohub.training import Run, finetune, load_run, open_run, read_recipe


def write_digits(folder: Path, classes: int = 3, each: int = 14) -> Path:
    """A folder a class, of the shipped digits; some files are no pictures."""
    digits = heldout_digits()
    for label in range(classes):
        place = folder / ["zero", "one", "two"][label]
        place.mkdir(parents=True)
        for i in np.flatnonzero(digits.labels == label)[:each]:
            Image.fromarray(digits.images[i]).save(place / f"{i:03d}.png")
    return folder


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_digits(tmp_path_factory.mktemp("data") / "photos")
    (folder / "zero" / "empty.png").touch()
    (folder / "one" / "cut.jpg").write_bytes(b"not much of a picture")
    (folder / "notes.txt").write_text("not a class")
    (folder / "nothing").mkdir()
    return folder


@pytest.fixture(scope="module")
def said() -> list[str]:
    return []


@pytest.fixture(scope="module")
def run(photos: Path, said: list[str], tmp_path_factory: pytest.TempPathFactory) -> Run:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ZOOHUB_HOME", str(tmp_path_factory.mktemp("home")))
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))
        output = tmp_path_factory.mktemp("runs") / "photos"
        return finetune("lenet5@digits", photos, output=output, epochs=3, lr=0.001, say=said.append)


def test_a_few_epochs_on_a_pretrained_network_learn_the_new_classes(run: Run) -> None:
    assert run.metrics["top1"] >= 0.8
    assert run.net.zoohub.classes == ("one", "two", "zero")


def test_bad_files_and_empty_classes_are_named_and_left_out(run: Run, said: list[str]) -> None:
    assert any(text.startswith("no pictures, left out: nothing (found ") for text in said)
    assert "left out: zero/empty.png: empty file" in said
    assert any(text.startswith("left out: one/cut.jpg: not an image") for text in said)
    assert any("pictures to train on" in text and "compiles" in text for text in said)
    assert any(text.endswith("starts from lenet5@digits") for text in said)
    page = (run.path / "report.html").read_text()
    assert page.count("no pictures, left out: nothing") == 1
    assert page.count("one/cut.jpg") == 1
    content = json.loads((run.path / "run.json").read_text())
    assert content["metrics"]["data"]["skipped"] == 2


def test_the_folder_holds_all_that_it_should(run: Run) -> None:
    names = sorted(path.name for path in run.path.iterdir())
    assert names == [
        "best.ckpt",
        "confusion.svg",
        "curve.svg",
        "last.ckpt",
        "metrics.jsonl",
        "recipe.yaml",
        "report.html",
        "run.json",
        "split.csv",
        "weights.ckpt",
        "weights.safetensors",
    ]
    ckpt = load_weights(run.path / "weights.ckpt")
    safe = load_weights(run.path / "weights.safetensors")
    assert ckpt.keys() == safe.keys()
    assert all((ckpt[name] == safe[name]).all() for name in ckpt)
    for name in ("curve.svg", "confusion.svg"):
        ElementTree.parse(run.path / name)


def test_the_page_is_one_file_that_fetches_nothing(run: Run) -> None:
    sources: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            sources.extend(value or "" for name, value in attrs if name in ("src", "href"))

    page = (run.path / "report.html").read_text()
    Reader().feed(page)
    assert all(source.startswith("data:") for source in sources)
    assert "Learning curve" in page
    assert page.count("<svg") == 2


@pytest.mark.slow
def test_the_runs_recipe_and_split_make_the_same_weights_again(run: Run, tmp_path: Path) -> None:
    again = finetune(run.path / "recipe.yaml", output=tmp_path / "again")
    assert (again.path / "weights.ckpt").read_bytes() == (run.path / "weights.ckpt").read_bytes()
    assert (again.path / "split.csv").read_text() == (run.path / "split.csv").read_text()
    recipe = read_recipe(run.path / "recipe.yaml")
    assert (recipe.model, recipe.checkpoint) == ("lenet5", "digits")


def test_a_finished_run_loads_and_predicts_like_any_model(run: Run, photos: Path) -> None:
    net = zoohub.load(str(run.path))
    assert net.zoohub.classes == ("one", "two", "zero")
    expected = load_weights(run.path / "weights.ckpt")
    for parameter in net.get_parameters():
        assert (parameter.asnumpy() == expected[parameter.name]).all()
    files = sorted((photos / "two").iterdir())
    predictions = zoohub.predict(str(run.path), files)
    found = [p.predictions[0].label for p in predictions]
    assert found.count("two") >= 0.8 * len(files)


@pytest.mark.slow
def test_a_run_can_be_evaluated_and_trained_on(run: Run, photos: Path, tmp_path: Path) -> None:
    results = evaluate(run.path, photos)
    assert results["count"] == 42
    assert results["top1"] == pytest.approx(np.trace(results["confusion"]) / 42)
    assert results["skipped"].keys() == {"zero/empty.png", "one/cut.jpg"}
    further = finetune(run.path, photos, output=tmp_path / "further", epochs=1)
    assert open_run(further.path).entry.family == "lenet"


@pytest.mark.slow
def test_evaluating_refuses_what_the_network_does_not_know(run: Run, tmp_path: Path) -> None:
    photos = write_digits(tmp_path / "photos", classes=1, each=3)
    assert evaluate(run.path, photos)["count"] == 3
    rows = [f"photos/zero/{file.name},zero,test\n" for file in (photos / "zero").iterdir()]
    table = tmp_path / "test.csv"
    table.write_text("path,label,split\n" + "".join(rows) + rows[0])
    found = evaluate(run.path, table)
    assert found["count"] == 4
    assert found["warnings"][0].startswith("rows that repeat another's picture: 1 (first line 5")
    both = tmp_path / "both"
    write_digits(both / "train")
    write_digits(both / "val", classes=2, each=2)
    assert evaluate(run.path, both)["count"] == 4
    (both / "train" / "one").rename(both / "train" / "cow")
    assert evaluate(run.path, both)["count"] == 4  # no cow is measured
    (both / "val" / "one").rename(both / "val" / "cow")
    with pytest.raises(DataError, match="does not know: cow; it knows one, two, zero"):
        evaluate(run.path, both)


def test_resuming_a_finished_run_gives_it_back(run: Run) -> None:
    said: list[str] = []
    again = finetune(run.path, resume=True, say=said.append)
    assert again.metrics == json.loads((run.path / "run.json").read_text())["metrics"]
    assert said == [f"{run.path}: this run is finished already"]
    finetune(run.path, resume=True, nodes=2, master="first", node_rank=0, say=said.append)
    assert "already; on other machines, interrupt the command" in said[1]


def test_weights_that_are_not_the_runs_are_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_bytes((run.path / "run.json").read_bytes())
    with pytest.raises(CheckpointCorrupt, match=r"weights\.ckpt: missing"):
        load_run(tmp_path)
    (tmp_path / "run.json").write_text("{}")
    with pytest.raises(CheckpointCorrupt, match="not a run's index entry"):
        load_run(tmp_path)


def test_what_cannot_be_trained_on_is_said(photos: Path, tmp_path: Path) -> None:
    output = tmp_path / "run"
    with pytest.raises(DataError, match="expected a folder of pictures"):
        finetune("lenet5@digits", tmp_path / "none", output=output)
    with pytest.raises(UsageError, match="say what to train on"):
        finetune("lenet5@digits", output=output)
    with pytest.raises(RecipeError, match="frozen: 'conv9' is no part of the network"):
        finetune("lenet5@digits", photos, output=output, assignments=["frozen=[conv9]"])
    with pytest.raises(RecipeError, match="amp O2 computes in bfloat16, for which"):
        finetune("lenet5@digits", photos, output=output, assignments=["amp=O2"])
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(StoreError, match="cannot be written"):
        finetune("lenet5@digits", photos, output=file / "run")


@pytest.mark.slow
def test_a_picture_found_broken_only_while_training_is_left_out_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "DECODED_BYTES", 0)  # as with more data: headers only
    photos = write_digits(tmp_path / "photos")
    for name in ("zero/000.png", "two/cut.png"):
        whole = write_noise(photos / name)
        (photos / name).write_bytes(whole[: len(whole) // 2])
    said: list[str] = []
    run = finetune("lenet5@digits", photos, output=tmp_path / "run", epochs=1, say=said.append)
    content = json.loads((run.path / "run.json").read_text())
    assert content["metrics"]["data"]["skipped"] == 2
    for name in ("zero/000.png", "two/cut.png"):
        (line,) = [text for text in said if name in text]
        assert line.startswith("left out: ")
        assert "damaged or cut short" in line
        assert name in (run.path / "report.html").read_text()
    results = evaluate(run.path, photos)
    assert results["skipped"].keys() == {"zero/000.png", "two/cut.png"}
    assert results["count"] == 42 - 1  # of 3 × 14 one is broken, another was added broken


def write_noise(path: Path) -> bytes:
    """A picture whose second half is more than a header."""
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64), np.uint8)
    Image.fromarray(pixels).save(path)
    return path.read_bytes()


@pytest.mark.slow
def test_frozen_parts_stay_and_the_rest_learns(photos: Path, tmp_path: Path) -> None:
    before = zoohub.load_weights("lenet5@digits")
    options = ["frozen=[conv1, conv2, fc1]", "micro_batch=4"]
    run = finetune(
        "lenet5@digits",
        photos,
        output=tmp_path / "run",
        epochs=1,
        batch_size=8,
        assignments=options,
    )
    after = load_weights(run.path / "weights.ckpt")
    for name in ("conv1.weight", "conv2.weight", "fc1.weight", "fc1.bias"):
        assert (after[name] == before[name]).all(), name
    assert (after["fc2.weight"] != before["fc2.weight"]).any()
