"""Entries whose steps name models: resolved, locked, checked, mirrored, downloaded as one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import zoohub
from zoohub.cli.main import main
from zoohub.errors import ManifestError, UnknownModel, UsageError
from zoohub.manifest.check import check_index
from zoohub.manifest.index import Index, LockedSteps
from zoohub.manifest.lock import read_lock
from zoohub.manifest.opening import open_index
from zoohub.manifest.steps import files_of, resolved_steps, step_references
from zoohub.settings import load_settings

PIPELINE = """\
family: reading
task: optical-character-recognition
default: reading
models:
  reading:
    steps: {first: lenet5@digits, second: yolov5n@digits}
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Index:
    folder = tmp_path / "own" / "optical-character-recognition"
    folder.mkdir(parents=True)
    (folder / "reading.yaml").write_text(PIPELINE)
    monkeypatch.setenv("ZOOHUB_INDEX", str(tmp_path / "own"))
    return open_index(load_settings())


def test_each_step_is_a_reference_of_the_index(own: Index) -> None:
    entry = own.entry("reading")
    steps = resolved_steps(own, entry)
    assert [*steps] == ["first", "second"]
    assert [step.checkpoint and step.checkpoint.reference for step in steps.values()] == [
        "lenet5@digits",
        "yolov5n@digits",
    ]
    assert step_references(entry, {"second": "yolov8n"}) == {
        "first": "lenet5@digits",
        "second": "yolov8n",
    }
    with pytest.raises(UsageError, match="has no step 'third'; its steps are first, second"):
        step_references(entry, {"third": "x"})
    with pytest.raises(UsageError, match="resnet50 is no pipeline"):
        step_references(own.entry("resnet50"), {"third": "x"})
    with pytest.raises(UnknownModel, match="reading is a pipeline, which has no checkpoints"):
        own.resolve("reading@small")
    (alone,) = files_of(own, own.resolve("lenet5@digits"))
    assert alone.entry.model == "lenet5"


def test_a_download_gives_the_file_of_each_step(
    own: Index, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = zoohub.download("reading")
    assert paths == [zoohub.download("lenet5@digits"), zoohub.download("yolov5n@digits")]
    assert main(["download", "reading"]) == 0
    assert capsys.readouterr().out.split() == [str(path) for path in paths]
    with pytest.raises(UsageError, match="reading is a pipeline"):
        zoohub.load_weights("reading")


def test_a_lock_holds_a_pipeline_with_its_steps(
    own: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "zoohub.lock"
    assert main(["lock", "reading", "-o", str(file), "-q"]) == 0
    lock = read_lock(file)
    assert lock["reading"] == LockedSteps({"first": "lenet5@digits", "second": "yolov5n@digits"})
    assert {*lock} == {"reading", "lenet5@digits", "yolov5n@digits"}
    held = Index(own.layers, lock=lock, lock_name="zoohub.lock")
    assert len(files_of(held, held.resolve("reading"))) == 2
    assert held.entry("reading").steps == lock["reading"].steps
    assert [entry.steps for entry in held.list("reading")] == [lock["reading"].steps]
    monkeypatch.setenv("ZOOHUB_LOCK", str(file))
    assert len(zoohub.download("reading")) == 2  # type: ignore[arg-type]
    with pytest.raises(ManifestError, match="not in"):
        zoohub.download("yolov8n@digits")


def test_a_lock_of_a_model_is_none_of_a_pipeline(own: Index) -> None:
    steps = LockedSteps({"first": "lenet5@digits"})
    held = Index(own.layers, lock={"lenet5@digits": steps}, lock_name="zoohub.lock")
    with pytest.raises(ManifestError, match="is a pipeline in one of"):
        held.resolve("lenet5@digits")


def test_a_locked_step_must_be_in_the_lock(tmp_path: Path) -> None:
    file = tmp_path / "zoohub.lock"
    file.write_text("reading:\n  steps: {first: lenet5@digits}\n")
    with pytest.raises(ManifestError, match="the step 'lenet5@digits' is not in the lock"):
        read_lock(file)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("steps: {first: no_such_net}", "its step 'no_such_net' is not in this index"),
        ("steps: {first: reading}", "its step 'reading' is a pipeline itself"),
        ("steps: {}", "must map 1 to 10 steps to models"),
        (
            "{steps: {first: lenet5}, network: {builder: lenet}}",
            "a pipeline has steps and no network or file of its own",
        ),
    ],
)
def test_the_check_of_an_index_reads_the_steps(tmp_path: Path, text: str, said: str) -> None:
    folder = tmp_path / "index" / "optical-character-recognition"
    folder.mkdir(parents=True)
    written = PIPELINE.replace("steps: {first: lenet5@digits, second: yolov5n@digits}", text)
    (folder / "reading.yaml").write_text(written)
    assert [problem for problem in check_index(folder.parent) if said in problem.message]


def test_a_step_that_means_nothing_here_is_said_when_it_is_used(
    own: Index, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "own" / "optical-character-recognition" / "reading.yaml"
    file.write_text(PIPELINE.replace("lenet5@digits", "no_such_net"))
    assert main(["list", "reading", "--json"]) == 0
    (listed,) = json.loads(capsys.readouterr().out)
    assert (listed["runnable"], listed["cached"]) == (False, False)
    with pytest.raises(UnknownModel, match="no_such_net"):
        zoohub.download("reading")


def test_lists_and_cards_show_the_steps(own: Index, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "reading"]) == 0
    assert capsys.readouterr().out.rstrip().endswith("yes")
    assert main(["info", "reading"]) == 0
    card = capsys.readouterr().out
    assert "lenet5@digits" in card
    assert "yolov5n@digits" in card
    assert main(["info", "reading", "--json"]) == 0
    (told,) = json.loads(capsys.readouterr().out)
    assert told["steps"] == {"first": "lenet5@digits", "second": "yolov5n@digits"}


@pytest.mark.parametrize("pattern", ["reading", "readi*"])
def test_a_mirror_takes_the_files_of_the_steps(
    own: Index, tmp_path: Path, capsys: pytest.CaptureFixture[str], pattern: str
) -> None:
    folder = tmp_path / "own" / "optical-character-recognition"
    text = PIPELINE.replace("first: lenet5@digits, second: yolov5n@digits", "first: lenet5")
    (folder / "reading.yaml").write_text(text)
    assert main(["mirror", "sync", str(tmp_path / "mirror"), pattern, "--dry-run"]) == 0
    said = capsys.readouterr()
    assert "lenet" in said.out + said.err


def test_the_command_checks_that_the_task_has_the_steps(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "index" / "optical-character-recognition"
    folder.mkdir(parents=True)
    (folder / "reading.yaml").write_text(PIPELINE)
    assert main(["index", "check", str(folder.parent)]) == 1
    assert "optical-character-recognition has no step" in capsys.readouterr().out
