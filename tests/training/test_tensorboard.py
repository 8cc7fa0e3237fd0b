"""Event files hold a run's figures, as TensorBoard itself reads them."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import pytest

from zoohub.errors import RecipeError
from zoohub.training import finetune, parse_recipe
from zoohub.training.options import Listeners
from zoohub.training.reports import EpochReport, StepReport
from zoohub.training.tensorboard import with_event_files

needs_tensorboard = pytest.mark.skipif(
    importlib.util.find_spec("tensorboard") is None, reason="tensorboard is not installed"
)
RECIPE = """\
model: lenet5
network: {builder: lenet}
data: {kind: digits, train: [2], validation: [1], part: 0.3}
input: {size: [32, 32], colour: L, resize: stretch}
epochs: 2
"""


def scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.util.tensor_util import make_ndarray

    events = EventAccumulator(str(folder))
    events.Reload()
    return {
        tag: [(e.step, float(make_ndarray(e.tensor_proto))) for e in events.Tensors(tag)]
        for tag in events.Tags()["tensors"]
    }


@needs_tensorboard
def test_each_step_and_epoch_is_there_and_others_hear_of_it_too(tmp_path: Path) -> None:
    heard: list[object] = []
    both = with_event_files(Listeners(on_step=heard.append, on_epoch=heard.append), tmp_path / "t")
    assert not (tmp_path / "t").exists()  # nothing has begun
    assert both.on_step
    assert both.on_epoch
    for step in (1, 2):
        both.on_step(StepReport(2, 3, step, 2, 0.5 / step, 0.01, 9.0, {"accuracy": 0.25}))
    both.on_epoch(EpochReport(2, 0.375, 0.01, 1.0, {"accuracy": 0.25},
                              {"loss": None, "top1": 0.75}, ("top-1", 0.75)))  # fmt: skip
    assert len(heard) == 3
    found = scalars(tmp_path / "t")
    assert found["step/loss"] == [(3, 0.5), (4, 0.25)]
    assert found["step/accuracy"] == [(3, 0.25), (4, 0.25)]
    assert found["epoch/loss"] == [(2, 0.375)]
    assert found["validation/top1"] == [(2, 0.75)]
    assert found.keys() == {"step/loss", "step/lr", "step/accuracy", "epoch/loss",
                            "epoch/accuracy", "validation/top1"}  # fmt: skip


@needs_tensorboard
@pytest.mark.slow
def test_a_run_writes_what_its_own_figures_say(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    run = finetune(parse_recipe(RECIPE), output=tmp_path / "run", tensorboard=True)
    lines = [json.loads(line) for line in (run.path / "metrics.jsonl").read_text().splitlines()]
    found = scalars(run.path / "tensorboard")
    for tag, key in (("epoch/loss", "loss"), ("validation/top1", "validation_top1")):
        assert found[tag] == [(line["epoch"], pytest.approx(line[key])) for line in lines]
    assert [step for step, _ in found["step/loss"]] == list(range(1, len(found["step/loss"]) + 1))


def test_without_it_the_cure_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("tensorboard", "tensorboard.summary"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(RecipeError, match=r"pip install 'zoohub\[tensorboard\]'"):
        with_event_files(Listeners(), tmp_path)
