"""A run killed at any moment goes on as if nothing had happened."""

from __future__ import annotations

import errno
import gc
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zoohub.cli.main import main
from zoohub.errors import CheckpointCorrupt, DataError, NoSpaceError
from zoohub.tasks.recipe import Recipe
from zoohub.training import finetune, parse_recipe
from zoohub.training.reports import Progress
from zoohub.training.run_folder import RunFolder

pytest.importorskip("sklearn")

# Everything that has state: momentum, moving average, mixing, accumulation, validation.
RECIPE = """\
model: lenet5
network: {builder: lenet}
data: {kind: digits, train: [2, 3, 4], validation: [1], part: 0.3}
input: {size: [32, 32], colour: L, resize: stretch}
augment: {rotate: 10, shift: 0.1, mixup: 0.2}
optimizer: {name: adamw, lr: 0.002, weight_decay: 0.05, clip: 1.0}
schedule: {warmup: 1}
epochs: 4
batch_size: 32
micro_batch: 16
ema: 0.99
seed: 7
"""
PROGRAM = """\
import sys
from zoohub.training import finetune, parse_recipe
finetune(parse_recipe(open(sys.argv[1]).read()), output=sys.argv[2], save_seconds=0.0,
         resume=len(sys.argv) > 3)
"""


def recipe() -> Recipe:
    return parse_recipe(RECIPE)


@pytest.mark.slow
def test_a_run_killed_twice_ends_with_the_weights_of_one_that_was_not(tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    (tmp_path / "program.py").write_text(PROGRAM)
    whole = finetune(recipe(), output=tmp_path / "whole")
    for attempt, wait_for in enumerate([(0, 3), (2, 5)]):
        run_until(tmp_path, wait_for, resume=attempt > 0)
    finished = finetune(recipe(), output=tmp_path / "killed", resume=True)
    for name in ("weights.ckpt", "best.ckpt", "last.ckpt", "weights.safetensors"):
        expected = (whole.path / name).read_bytes()
        assert (finished.path / name).read_bytes() == expected, name
    assert finished.metrics == whole.metrics
    lines = [json.loads(line) for line in (finished.path / "metrics.jsonl").open()]
    assert [line["epoch"] for line in lines] == [1, 2, 3, 4]
    assert not (finished.path / "state").exists()


def run_until(folder: Path, position: tuple[int, int], *, resume: bool) -> None:
    """Start (or resume) the run in a process and kill it when its state is at `position`."""
    arguments = [sys.executable, "program.py", "recipe.yaml", "killed"]
    process = subprocess.Popen(arguments + ["resume"] * resume, cwd=folder, env={**os.environ})
    deadline = time.monotonic() + 120
    try:
        while time.monotonic() < deadline:
            state = RunFolder(folder / "killed").load_state()
            if state is not None and (state[1].epoch, state[1].step) >= position:
                return
            assert process.poll() is None, "the run ended before it could be killed"
            time.sleep(0.01)
        pytest.fail("the run did not come so far")
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


@pytest.mark.slow
def test_the_command_line_resumes_a_killed_run_by_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("recipe.yaml").write_text(RECIPE)
    command = [sys.executable, "-m", "zoohub", "finetune", "recipe.yaml", "--output", "killed"]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    metrics, deadline = Path("killed", "metrics.jsonl"), time.monotonic() + 120
    while not metrics.exists() and time.monotonic() < deadline:
        assert process.poll() is None, "the run ended before it could be killed"
        time.sleep(0.01)
    process.kill()
    process.wait()
    assert main(["finetune", "killed", "--resume"]) == 0
    assert capsys.readouterr().out == "killed\n"
    assert main(["finetune", "--resume", "--output", "killed"]) == 0
    assert capsys.readouterr().err.startswith("killed: this run is finished already")
    assert main(["finetune"]) == 2
    assert "say what to train" in capsys.readouterr().err
    whole = finetune(recipe(), output=tmp_path / "whole")
    for name in ("weights.ckpt", "last.ckpt"):
        assert Path("killed", name).read_bytes() == (whole.path / name).read_bytes(), name


def test_where_no_run_is_to_be_resumed_it_says_where_it_looked(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no run to resume; looked in lenet5 and runs/flowers;"):
        finetune("lenet5", "data/flowers", resume=True)
    with pytest.raises(DataError, match=r"no run to resume; looked in .*x; name its folder"):
        finetune("lenet5", output=tmp_path / "x", resume=True)


def test_a_saved_state_comes_back_as_it_was(tmp_path: Path) -> None:
    from zoohub.training.reports import Progress

    folder = RunFolder(tmp_path)
    folder.state_file.parent.mkdir()
    arrays = {"net.a/b.weight": np.arange(6, dtype=np.float32).reshape(2, 3), "n": np.array(3)}
    progress = Progress(epoch=1, step=2, losses=[0.5], sums={"accuracy": 3}, history=[{"epoch": 1}])
    folder.save_state(arrays, progress)
    loaded = folder.load_state()
    assert loaded is not None
    assert loaded[1] == progress
    assert list(loaded[0]) == list(arrays)
    assert all((loaded[0][name] == arrays[name]).all() for name in arrays)


def test_what_a_process_killed_while_saving_left_behind_goes_with_the_state(
    tmp_path: Path,
) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.state_file.parent.mkdir(parents=True)
    for name in ("last.ckpt", "state/.state.npz.1f.tmp", ".last.ckpt.2e.tmp"):
        (folder.path / name).touch()
    folder.remove_state()
    assert [path.name for path in folder.path.iterdir()] == ["last.ckpt"]


def test_a_damaged_state_is_said_to_be_damaged(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.state_file.parent.mkdir()
    folder.state_file.write_bytes(b"PK\x03\x04 cut short")
    with pytest.raises(CheckpointCorrupt, match=r"state\.npz: the saved state is damaged"):
        folder.load_state()


def test_a_folder_that_holds_a_run_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("{}")
    with pytest.raises(DataError, match="there is a run in this folder already"):
        finetune(recipe(), output=tmp_path)


def test_a_state_that_fills_the_disk_is_one_error_and_no_other_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full(io.FileIO):
        def write(self, data: Any) -> int:
            if self.tell() + len(data) > 100_000:
                raise OSError(errno.ENOSPC, "No space left on device")
            return super().write(data) or 0

    @contextmanager
    def replacing(path: Path) -> Iterator[io.BufferedWriter]:
        with io.BufferedWriter(Full(path, "w")) as file:
            yield file

    unraisable: list[object] = []
    monkeypatch.setattr("sys.unraisablehook", unraisable.append)
    monkeypatch.setattr("zoohub.training.run_folder.replacing", replacing)
    folder = RunFolder(tmp_path)
    folder.state_file.parent.mkdir()
    with pytest.raises(NoSpaceError, match="the disk is full"):
        folder.save_state({"w": np.zeros(10**6, np.float32)}, Progress())
    gc.collect()
    assert not unraisable


def test_a_full_disk_leaves_what_was_saved_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = RunFolder(tmp_path)
    good = {"w": np.arange(4, dtype=np.float32)}
    folder.write_weights("best", good)
    before = (tmp_path / "best.ckpt").read_bytes()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(NoSpaceError, match=r"the disk is full .* go on with --resume"):
        folder.write_weights("best", {"w": np.zeros(4, np.float32)})
    assert (tmp_path / "best.ckpt").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir() if path.suffix != ""] == ["best.ckpt"]
