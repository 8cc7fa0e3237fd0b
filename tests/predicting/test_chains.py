"""What cannot be a pipeline's step is refused before anything is fetched."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from PIL import Image

import zoohub
from zoohub.cli.main import main
from zoohub.errors import DataError, UsageError, ZoohubError
from zoohub.predicting.chains import step_names
from zoohub.predicting.makers import Maker, find_maker
from zoohub.predicting.pipeline_files import read_pipeline_file, write_pipeline_file
from zoohub.settings import load_settings

pytest.importorskip("cv2")


@pytest.fixture
def page(tmp_path: Path) -> str:
    file = tmp_path / "page.png"
    Image.new("RGB", (60, 40), "white").save(file)
    return str(file)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("detection=resnet50", "resnet50 is for image-classification; the step detection is"),
        ("detection=crnn_resnet34", "--task scene-text-detection --runnable` shows what can be it"),
        ("detecton=dbnet_resnet50", "ocr has no step 'detecton'; its steps are detection, reco"),
        ("detection=no_such_net", "no model is called 'no_such_net'"),
        ("detection", "write STEP=NAME"),
        ("detection=psenet_resnet50 --ema", "what is said of weights"),
        ("detection=psenet_resnet50 --set detection=dbnet_resnet50", "is given twice"),
    ],
)
def test_another_step_is_looked_at_first(
    page: str, given: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--offline", "predict", "ocr", page, "--set", *given.split()]) in (1, 2)
    error = capsys.readouterr().err
    assert said in error
    assert "not in the store" not in error


def test_what_has_no_steps_has_none_to_exchange(page: str) -> None:
    with pytest.raises(UsageError, match="lenet5@digits is no pipeline"):
        zoohub.predict("lenet5@digits", page, steps={"detection": "dbnet_resnet50"})
    with pytest.raises(UsageError, match="is for one"):
        zoohub.predict("ocr", page, checkpoint="my.ckpt")


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ("recognition: crnn_resnet34", "own has no step 'detection', which optical-character"),
        ("detection: dbnet_resnet50", "own has no step 'recognition'"),
        ("finding: dbnet_resnet50", "optical-character-recognition has no step 'finding'"),
        ("detection: no_such_net", "own: its step detection: no model is called 'no_such_net'"),
        ("detection: own", "own: its step detection is a pipeline itself"),
        ("detection: ./det.onnx", "'./det.onnx' is a path, not a model's name"),
    ],
)
def test_a_pipeline_that_cannot_work_says_why(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, steps: str, said: str
) -> None:
    folder = tmp_path / "index" / "optical-character-recognition"
    folder.mkdir(parents=True)
    text = "family: own\ntask: optical-character-recognition\nmodels:\n  own: {steps: {%s}}\n"
    (folder / "own.yaml").write_text(text % steps)
    monkeypatch.setenv("ZOOHUB_INDEX", str(folder.parent))
    monkeypatch.setenv("ZOOHUB_OFFLINE", "1")
    with pytest.raises(ZoohubError, match=re.escape(said)):
        zoohub.predict("own", page)


@pytest.mark.parametrize(
    "written",
    [
        "",
        "[]",
        "{}",
        json.dumps({"pipeline": "x", "task": "optical-character-recognition", "steps": []}),
        json.dumps({"pipeline": "x", "task": "optical-character-recognition", "steps": {}}),
        json.dumps(
            {"pipeline": "x", "task": "optical-character-recognition",
             "steps": {"detection": "../../etc/passwd"}}
        ),
        json.dumps(
            {"pipeline": "x", "task": "optical-character-recognition",
             "steps": {"detection": "a\0.onnx", "recognition": "b.onnx"},
             "sha256": {"detection": "0" * 64, "recognition": "0" * 64}}
        ),
        json.dumps({"pipeline": "x", "task": [], "steps": {"detection": "a.onnx"}}),
        json.dumps({"pipeline": "x", "task": "image-classification", "steps": {"a": ["b"]}}),
    ],
)  # fmt: skip
def test_a_description_of_another_kind_is_refused(page: str, tmp_path: Path, written: str) -> None:
    file = tmp_path / "pipeline.json"
    file.write_text(written)
    with pytest.raises(DataError, match=r"pipeline\.json"):
        zoohub.predict(str(file), page)


def test_results_are_gone_on_with_by_the_same_steps_alone(tmp_path: Path) -> None:
    settings = load_settings()
    first, second = tmp_path / "a.onnx", tmp_path / "b.onnx"
    first.write_bytes(b"one network")
    second.write_bytes(b"another")

    def maker(**steps: str) -> Maker:
        return find_maker("ocr", None, {"threshold": 0.5}, settings, steps)

    before = maker(detection=str(first), recognition=str(second))
    assert before.same_as(maker(detection=str(first), recognition=str(second)))
    assert not before.same_as(maker(detection=str(second), recognition=str(second)))
    second.write_bytes(b"changed")
    assert not before.same_as(maker(detection=str(first), recognition=str(second)))


def test_the_steps_are_those_of_the_index_of_an_export_or_those_given(tmp_path: Path) -> None:
    settings = load_settings()
    known = step_names("ocr", settings, {"detection": "psenet_resnet50"})
    assert known == {"detection": "psenet_resnet50", "recognition": "crnn_resnet34"}
    (tmp_path / "a.onnx").write_bytes(b"a network")
    write_pipeline_file(tmp_path / "x.json", "x", "t", {"detection": "a.onnx"})
    exported = step_names(str(tmp_path / "x.json"), settings, {})
    assert exported == {"detection": str(tmp_path / "a.onnx")}
    assert step_names("lenet5", settings, {}) == {}


def test_a_step_that_is_no_more_the_exported_file_is_refused(page: str, tmp_path: Path) -> None:
    file, first, second = (tmp_path / name for name in ("x.json", "a.onnx", "b.onnx"))
    first.write_bytes(b"one network")
    second.write_bytes(b"another")
    steps = {"detection": "a.onnx", "recognition": "b.onnx"}
    write_pipeline_file(file, "x", "optical-character-recognition", steps)
    described = read_pipeline_file(file)
    described.check("detection")
    first.write_bytes(b"of another model")
    with pytest.raises(DataError, match=r"a\.onnx is not the file .* with x") as told:
        zoohub.predict(str(file), page)
    assert "\n" not in str(told.value)
    first.unlink()
    with pytest.raises(DataError, match=r"a\.onnx: there is no such file"):
        described.check("detection")
    if hasattr(os, "mkfifo"):
        os.mkfifo(first)  # which nobody writes to: reading would wait for ever
        with pytest.raises(DataError, match=r"a\.onnx: there is no such file"):
            described.check("detection")


def test_a_description_of_before_hashes_were_in_it_is_read(tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    said = {"pipeline": "x", "task": "t", "steps": {"detection": "a.onnx"}}
    file.write_text(json.dumps(said))
    read_pipeline_file(file).check("detection")
    for hashes in ({}, [], {"detection": "0"}, {"recognition": "0" * 64}):
        file.write_text(json.dumps({**said, "sha256": hashes}))
        with pytest.raises(DataError, match="is no exported pipeline"):
            read_pipeline_file(file)


def test_an_exported_file_is_no_name_that_a_lock_must_hold(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked = "lenet5: {url: 'https://x.example/l', sha256: '%s'}\n" % ("1" * 64)
    (tmp_path / "zoohub.lock").write_text(locked)
    monkeypatch.setenv("ZOOHUB_LOCK", str(tmp_path / "zoohub.lock"))
    with pytest.raises(ZoohubError) as raised:
        zoohub.predict(str(tmp_path / "none.onnx"), page)
    assert "lock" not in str(raised.value)


def test_a_document_is_not_gone_on_with(page: str, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["predict", "ocr", page, "--hocr", "x.hocr", "--jsonl", "x.jsonl", "--resume"]
    assert main(["--offline", *command]) == 2
    assert "--hocr is written whole" in capsys.readouterr().err
