"""`zoohub.load` of a pipeline: the networks of its steps."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

import zoohub
from zoohub.errors import UsageError
from zoohub.models.pipelines import Pipeline

PIPELINE = """\
family: reading
task: optical-character-recognition
models:
  reading:
    steps: {first: lenet5@digits, second: yolov5n@digits}
"""


@pytest.fixture(autouse=True)
def _own_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "own" / "optical-character-recognition"
    folder.mkdir(parents=True)
    (folder / "reading.yaml").write_text(PIPELINE)
    monkeypatch.setenv("ZOOHUB_INDEX", str(tmp_path / "own"))


def test_a_pipeline_is_loaded_with_the_weights_of_its_steps() -> None:
    pipeline = zoohub.load("reading", pretrained=True)
    assert isinstance(pipeline, Pipeline)
    assert [*pipeline.steps] == ["first", "second"]
    assert pipeline["first"].zoohub.checkpoint.reference == "lenet5@digits"
    assert pipeline["second"].zoohub.checkpoint.reference == "yolov5n@digits"
    assert "reading" in repr(pipeline)
    with pytest.raises(dataclasses.FrozenInstanceError):
        pipeline.steps = {}  # type: ignore[misc]


def test_another_network_can_be_put_in_the_place_of_a_step() -> None:
    pipeline = zoohub.load("reading", second="lenet5")
    assert pipeline["second"].zoohub.checkpoint is None
    assert pipeline.entry.steps["second"] == "lenet5"
    with pytest.raises(UsageError, match="has no step 'third'"):
        zoohub.load("reading", third="lenet5")
    with pytest.raises(UsageError, match="by its name"):
        zoohub.load("reading", second=3)


def test_what_only_one_network_can_have_is_refused() -> None:
    with pytest.raises(UsageError, match="reading is a pipeline, of the steps first, second"):
        zoohub.load("reading", pretrained=True, num_classes=3)
