"""What cannot be a pipeline's step is refused before anything is fetched."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

import zoohub
from zoohub.cli.main import main
from zoohub.errors import DataError, UsageError

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
        ("detection=crnn_resnet34", "crnn_resnet34 is for scene-text-recognition; the step"),
        ("detecton=dbnet_resnet50", "ocr has no step 'detecton'; its steps are detection, reco"),
        ("detection=no_such_net", "no model is called 'no_such_net'"),
        ("detection", "write STEP=NAME"),
    ],
)
def test_another_step_is_looked_at_first(
    page: str, given: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--offline", "predict", "ocr", page, "--set", given]) in (1, 2)
    error = capsys.readouterr().err
    assert said in error
    assert "not in the store" not in error


def test_what_has_no_steps_has_none_to_exchange(page: str) -> None:
    with pytest.raises(UsageError, match="lenet5@digits is no pipeline"):
        zoohub.predict("lenet5@digits", page, steps={"detection": "dbnet_resnet50"})
    with pytest.raises(UsageError, match="put the one with your weights into its step"):
        zoohub.predict("ocr", page, checkpoint="my.ckpt")


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
        json.dumps({"pipeline": "x", "task": [], "steps": {"detection": "a.onnx"}}),
        json.dumps({"pipeline": "x", "task": "image-classification", "steps": {"a": ["b"]}}),
    ],
)  # fmt: skip
def test_a_description_of_another_kind_is_refused(page: str, tmp_path: Path, written: str) -> None:
    file = tmp_path / "pipeline.json"
    file.write_text(written)
    with pytest.raises(DataError, match=r"pipeline\.json"):
        zoohub.predict(str(file), page)
