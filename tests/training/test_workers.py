"""Two processes on half the batch each give the weights of one process on all of it."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from zoohub.checkpoint import load_weights
from zoohub.errors import RecipeError, StoreError
from zoohub.training import finetune, parse_recipe
from zoohub.training.events import EventReader, EventWriter
from zoohub.training.launch import msrun_command
from zoohub.training.loop import EpochReport, StepReport
from zoohub.training.session import build_network, open_session

pytest.importorskip("sklearn")

# 27 steps an epoch; the network has no batch norm.
RECIPE = """\
model: lenet5
network: {builder: lenet}
data: {kind: digits, train: [1, 2, 3], validation: [4], part: 0.75}
input: {size: [32, 32], colour: L, resize: stretch}
augment: {rotate: 10, shift: 0.1}
optimizer: {name: sgd, lr: 0.02, weight_decay: 0.0005}
schedule: {warmup: 1}
epochs: 2
batch_size: 32
"""


@pytest.mark.slow
def test_two_workers_train_as_one_with_twice_the_batch(tmp_path: Path) -> None:
    one = finetune(parse_recipe(RECIPE), output=tmp_path / "one")
    steps_seen, epochs_seen, said = [], [], []
    two = finetune(
        parse_recipe(RECIPE),
        output=tmp_path / "two",
        workers=2,
        on_step=steps_seen.append,
        on_epoch=epochs_seen.append,
        say=said.append,
    )
    expected = load_weights(one.path / "last.ckpt")
    found = load_weights(two.path / "last.ckpt")
    steps = len((two.path / "metrics.jsonl").read_text().splitlines()) * 25
    assert steps >= 50
    for name in expected:
        np.testing.assert_allclose(found[name], expected[name], rtol=0, atol=1e-5, err_msg=name)
    assert two.metrics["top1"] == pytest.approx(one.metrics["top1"], abs=0.01)
    # What the first worker had to say came here.
    lines = (two.path / "metrics.jsonl").read_text().splitlines()
    assert [asdict(report) for report in epochs_seen] == [json.loads(line) for line in lines]
    assert len(steps_seen) == sum(report.steps for report in steps_seen if report.step == 1)
    assert said[0] == f"2 workers; their logs are in {two.path / 'workers'}"
    assert len(said) == 2
    assert "pictures to train on" in said[1]


NORMALISED = """\
model: resnet18
network: {builder: resnet, arguments: {depth: 18, in_channels: 1}, head: classifier}
data: {kind: digits, train: [1], validation: [], part: 0.1}
input: {size: [32, 32], colour: L, resize: stretch}
optimizer: {name: sgd, lr: 0.01}
epochs: 1
batch_size: 32
sync_batch_norm: true
"""


@pytest.mark.slow
def test_synchronised_batch_norm_sees_the_pictures_of_both_workers(tmp_path: Path) -> None:
    one_recipe = parse_recipe(NORMALISED)
    one = finetune(one_recipe, output=tmp_path / "one")
    two = finetune(one_recipe, output=tmp_path / "two", workers=2)
    expected = load_weights(one.path / "last.ckpt")
    found = load_weights(two.path / "last.ckpt")
    assert any("moving_mean" in name for name in expected)
    start = {p.name: p.asnumpy() for p in build_network(open_session(one_recipe)).get_parameters()}
    for name in expected:
        # One step: how far the two are apart, of the way from the start.
        way = np.abs(expected[name] - start[name]).max()
        apart = np.abs(found[name] - expected[name]).max()
        assert apart <= 0.01 * way, (name, apart, way)


def test_a_batch_that_the_workers_cannot_share_is_refused_before_they_start(
    tmp_path: Path,
) -> None:
    with pytest.raises(RecipeError, match="cannot be shared by 3 workers; take a multiple of 3"):
        finetune(parse_recipe(RECIPE), output=tmp_path, workers=3)


def test_a_folder_for_workers_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"file/run/workers: cannot be written"):
        finetune(parse_recipe(RECIPE), output=tmp_path / "file" / "run", workers=2)


def test_several_machines_meet_at_the_masters_address(tmp_path: Path) -> None:
    command = msrun_command(tmp_path, workers=4, total=8, master="node0:9000", node_rank=1)
    assert "--worker_num=8" in command
    assert "--local_worker_num=4" in command
    assert "--master_addr=node0" in command
    assert "--master_port=9000" in command
    assert "--node_rank=1" in command


def test_events_pass_whole_lines_on_as_they_come(tmp_path: Path) -> None:
    step = StepReport(1, 2, 3, 4, 0.5, 0.75, 0.01, 100.0)
    epoch = EpochReport(1, 0.5, 0.75, 0.01, 2.0, None, None)
    seen: list[object] = []
    reader = EventReader(
        tmp_path / "events.jsonl",
        on_step=seen.append,
        on_epoch=seen.append,
        say=seen.append,
        reports=(StepReport, EpochReport),
    )
    reader.poll()  # there is nothing yet
    writer = EventWriter(tmp_path / "events.jsonl")
    writer.say("left out: a.png")
    writer.step(step)
    reader.poll()
    assert seen == ["left out: a.png", step]
    with (tmp_path / "events.jsonl").open("a") as file:
        file.write('{"say": "half')
        file.flush()
        reader.poll()
        assert len(seen) == 2
        file.write(' a line"}\n')
    writer.epoch(epoch)
    reader.poll()
    assert seen[2:] == ["half a line", epoch]
