"""A run goes on for more epochs as if planned so, and stops where it gets no better."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import zoohub
from zoohub.checkpoint import load_weights, write_ckpt
from zoohub.cli.main import main
from zoohub.errors import DataError, RecipeError
from zoohub.tasks.classification.task import TASK
from zoohub.tasks.recipe import Recipe
from zoohub.training import finetune, open_run, parse_recipe
from zoohub.training.epochs import overdue
from zoohub.training.extending import state_in, with_state
from zoohub.training.reports import Progress
from zoohub.training.run_folder import RunFolder

pytest.importorskip("sklearn")

RECIPE = """\
model: lenet5
network: {builder: lenet}
data: {kind: digits, train: [2], validation: [1], part: 0.3}
input: {size: [32, 32], colour: L, resize: stretch}
optimizer: {name: %s, lr: 0.002}
schedule: {name: %s}
epochs: %d
batch_size: 32
ema: %s
"""


def recipe(epochs: int, name: str = "adamw", ema: str = "null", way: str = "constant") -> Recipe:
    return parse_recipe(RECIPE % (name, way, epochs, ema))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "ema"), [("adamw", "0.9"), ("sgd", "null")])
def test_a_finished_run_goes_on_to_the_weights_of_a_longer_one(
    tmp_path: Path, name: str, ema: str
) -> None:
    whole = finetune(recipe(3, name, ema), output=tmp_path / "whole")
    short = finetune(recipe(1, name, ema), output=tmp_path / "short")
    # What it keeps to go on with is in no one's way.
    assert zoohub.load("lenet5", checkpoint=str(short.path / "last.ckpt"), num_classes=10)
    assert main(["finetune", str(short.path), "--resume", "--epochs", "3", "--quiet"]) == 0
    for file in ("weights.ckpt", "last.ckpt", "best.ckpt", "recipe.yaml"):
        assert (short.path / file).read_bytes() == (whole.path / file).read_bytes(), file
    expected = open_run(whole.path).metrics
    assert open_run(short.path).metrics == expected
    told = [json.loads(line) for line in (short.path / "metrics.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in told] == [1, 2, 3]
    with pytest.raises(RecipeError, match="this run has 3 epochs already"):
        finetune(short.path, resume=True, epochs=2)
    assert finetune(short.path, resume=True, epochs=3).metrics == expected


@pytest.mark.slow
def test_a_run_of_a_version_that_kept_no_state_says_how_to_go_on(tmp_path: Path) -> None:
    run = finetune(recipe(1), output=tmp_path / "run")
    last = run.path / "last.ckpt"
    weights = {k: v for k, v in load_weights(last).items() if not k.startswith("train.")}
    write_ckpt(last, weights)
    with pytest.raises(DataError, match="start a new run from its weights: zoohub finetune"):
        finetune(run.path, resume=True, epochs=2)
    assert finetune(run.path, resume=True).metrics["epochs"] == 1  # still a finished run


def test_the_kept_state_is_the_trainers_again() -> None:
    weights = {"a.weight": np.ones(2, np.float32), "a.mean": np.zeros(2, np.float32)}
    state: dict[str, Any] = {
        "net.a.weight": np.full(2, 3, np.float32), "net.a.mean": np.zeros(2, np.float32),
        "first.a.weight": np.full(2, 4, np.float32), "second.a.weight": np.full(2, 5, np.float32),
        "ema.a.weight": weights["a.weight"], "ema.a.mean": weights["a.mean"],
        "power1": np.array(0.9, np.float32), "step_count": np.array(7, np.int64),
    }  # fmt: skip
    kept = with_state(weights, state)
    assert {name for name in kept if name not in weights} == {
        "train.net.a.weight", "train.exp_avg.a.weight", "train.exp_avg_sq.a.weight",
        "train.power1", "train.step_count",
    }  # fmt: skip
    again = state_in(kept, averaged=True)
    assert again.keys() == state.keys()
    assert all((again[name] == state[name]).all() for name in state)
    assert state_in(weights, averaged=True) == {}


def progress(*top1: float | None) -> Progress:
    lines = [{"epoch": i, "validation_top1": v} for i, v in enumerate(top1, 1)]
    known = [(v, -i) for i, v in enumerate(top1, 1) if v is not None]
    best = -max(known)[1] if known else None
    return Progress(epoch=len(top1), history=lines, best_epoch=best)


@pytest.mark.parametrize(
    ("found", "patience", "stops"),
    [
        ((0.5, 0.4), 2, False),
        ((0.5, 0.4, 0.5), 2, True),
        ((0.5, 0.4, 0.6), 2, False),
        ((0.5, None, None, 0.4), 2, False),  # epochs that were not measured do not count
        ((0.5, None, 0.4, None, 0.4), 2, True),
        ((None, None, None), 1, False),
        ((0.5, 0.4, 0.3, 0.2), None, False),
    ],
)
def test_patience_counts_measured_epochs_that_were_no_better(
    found: tuple[float | None, ...], patience: int | None, stops: bool
) -> None:
    wanted = replace(recipe(9), early_stopping=patience)
    assert overdue(TASK, wanted, progress(*found)) is stops
    middle = replace(progress(*found), step=1)
    assert not overdue(TASK, wanted, middle)


@pytest.mark.slow
def test_a_run_that_gets_no_better_stops_and_says_so(tmp_path: Path) -> None:
    said: list[str] = []
    still = ["optimizer.lr=1e-30", "early_stopping=2"]  # no float32 moves: the first is the best
    run = finetune(recipe(9), output=tmp_path / "run", assignments=still, say=said.append)
    assert run.metrics["epochs"] == 3
    assert run.metrics["best_epoch"] == 1
    assert "stopped early, after 3 of 9 epochs: the best was epoch 1" in said
    assert "early_stopping: 2" in (run.path / "recipe.yaml").read_text()
    longer = finetune(run.path, resume=True, epochs=4)
    assert longer.metrics["epochs"] == 4
    assert RunFolder(run.path).recipe().early_stopping is None


def test_without_a_part_to_validate_on_nothing_can_stop_early(tmp_path: Path) -> None:
    none = replace(recipe(2), early_stopping=1)
    with pytest.raises(RecipeError, match="no part of the data to validate on"):
        finetune(none, output=tmp_path / "run", assignments=["data.validation=[]"])
