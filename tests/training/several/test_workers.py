"""Two processes on half the batch each give the weights of one process on all of it."""

from __future__ import annotations

import contextlib
import json
import socket
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from numpy.typing import NDArray

from zoohub.checkpoint import load_weights
from zoohub.errors import DataError, RecipeError, StoreError, ZoohubError
from zoohub.training import Run, finetune, parse_recipe
from zoohub.training.network import build_network
from zoohub.training.options import Listeners, Machines
from zoohub.training.reports import EpochReport, StepReport
from zoohub.training.run_folder import RunFolder
from zoohub.training.session import open_session
from zoohub.training.several import launch
from zoohub.training.several.events import EventReader, EventWriter
from zoohub.training.several.launch import failure, free_port, msrun_command

pytest.importorskip("sklearn")

# 25 steps an epoch; the network has no batch norm. It begins trained: a fresh one hardly moves in
# so few steps, and where the rate is high, rounding alone drives two runs apart.
RECIPE = """\
model: lenet5
checkpoint: digits
data: {kind: digits, train: [1, 2, 3], validation: [4], part: 0.75}
augment: {rotate: 20, shift: 0.2}
optimizer: {name: sgd, lr: 0.01, weight_decay: 0.0005}
schedule: {warmup: 1}
epochs: 2
batch_size: 32
"""


# What a machine runs: its number, the first one's address, and whether it goes on.
PROGRAM = """\
import sys
from zoohub.training import finetune, parse_recipe
number, master, recipe, go_on = sys.argv[1:]
run = finetune(parse_recipe(open(recipe).read()), output="run", nodes=2, node_rank=int(number),
               master=master, resume=go_on == "resume", save_seconds=0.0)
print(run.net is not None, sorted(run.metrics)[-3:])
"""


@dataclass(frozen=True)
class Trained:
    run: Run
    steps: list[StepReport]
    epochs: list[EpochReport]
    said: list[str]


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    steps, epochs, said = [], [], []
    run = finetune(
        parse_recipe(RECIPE),
        output=tmp_path_factory.mktemp("workers") / "two",
        workers=2,
        on_step=steps.append,
        on_epoch=epochs.append,
        say=said.append,
    )
    return Trained(run, steps, epochs, said)


def weights_of(path: Path) -> dict[str, Any]:
    """The weights in a `last.ckpt`, without the optimiser's state beside them."""
    return {k: v for k, v in load_weights(path).items() if not k.startswith("train.")}


@pytest.mark.slow
def test_two_workers_train_as_one_with_twice_the_batch(tmp_path: Path, two: Trained) -> None:
    one = finetune(parse_recipe(RECIPE), output=tmp_path / "one")
    expected = load_weights(one.path / "last.ckpt")
    found = load_weights(two.run.path / "last.ckpt")
    assert len(two.steps) >= 50
    start = starting_weights(RECIPE)
    for name in start:
        np.testing.assert_allclose(found[name], expected[name], rtol=0, atol=1e-5, err_msg=name)
        assert np.abs(expected[name] - start[name]).max() > 1e-3, name
    assert two.run.metrics["top1"] == pytest.approx(one.metrics["top1"], abs=0.01)
    # An epoch's figures are those of both workers' pictures.
    for line, report in zip(history(one.path), two.epochs, strict=True):
        for figure in ("loss", "accuracy", "validation_loss"):
            assert getattr(report, figure) == pytest.approx(line[figure], rel=1e-4), figure
    # What the first worker had to say came here.
    assert [report.line() for report in two.epochs] == history(two.run.path)
    assert len(two.steps) == sum(report.steps for report in two.steps if report.step == 1)
    assert two.said[0] == f"2 workers; their logs are in {two.run.path / 'workers'}"
    assert len(two.said) == 2
    assert "pictures to train on" in two.said[1]


def starting_weights(recipe: str) -> dict[str, NDArray[np.float32]]:
    net = build_network(open_session(parse_recipe(recipe)))
    return {parameter.name: parameter.asnumpy() for parameter in net.get_parameters()}


def history(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


@pytest.mark.slow
def test_two_machines_killed_and_resumed_end_as_two_workers_of_one(
    tmp_path: Path, two: Trained
) -> None:
    """Each has a folder of its own, as without a shared file system."""
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    (tmp_path / "program.py").write_text(PROGRAM)
    first = RunFolder(tmp_path / "0" / "run")
    with machines(tmp_path, "start") as running:
        deadline = time.monotonic() + 120
        # In the second epoch: of its figures the second machine had a part.
        while (state := first.load_state()) is None or state[1].step < 2 or state[1].epoch < 1:
            assert time.monotonic() < deadline, "the run did not come so far"
            assert all(machine.poll() is None for machine in running)
            time.sleep(0.02)
        started = [child for machine in running for child in children_of(machine)]
        workers = [child for child in started if is_worker(child)]
        for machine in running:
            machine.kill()
            machine.wait()
        # Nobody is left to write into the folder.
        ended, alive = psutil.wait_procs(workers, timeout=30)
        assert (len(ended), alive) == (2, [])
        kill(started)
    with machines(tmp_path, "resume") as running:
        printed = [machine.communicate(timeout=300)[0] for machine in running]
    assert printed == ["True ['top1', 'top5', 'validation']\n", "False []\n"]
    expected = (two.run.path / "last.ckpt").read_bytes()
    assert (first.path / "last.ckpt").read_bytes() == expected
    for found, expected_line in zip(history(first.path), history(two.run.path), strict=True):
        for figure in ("loss", "accuracy", "validation_loss"):
            assert found[figure] == expected_line[figure], figure
    assert sorted(path.name for path in (tmp_path / "1" / "run").iterdir()) == [
        "recipe.yaml",
        "workers-1",
    ]


@contextmanager
def machines(folder: Path, go_on: str) -> Iterator[list[subprocess.Popen[str]]]:
    """The command of both machines, running; killed with all they started at the end.

    msrun takes a machine for the first one that has the first one's address, so that the second
    knows it by another, from which connections are passed on.
    """
    port = free_port()
    running = []
    with passing_on(("127.0.0.2", port), ("127.0.0.1", port)):
        for number, address in enumerate(("127.0.0.1", "127.0.0.2")):
            place = folder / str(number)
            place.mkdir(exist_ok=True)
            command = [sys.executable, "../program.py", str(number), f"{address}:{port}"]
            command += ["../recipe.yaml", go_on]
            running.append(subprocess.Popen(command, cwd=place, stdout=subprocess.PIPE, text=True))
        try:
            yield running
        finally:
            for machine in running:
                if machine.poll() is None:
                    kill([psutil.Process(machine.pid), *children_of(machine)])
                    machine.wait()


@contextmanager
def passing_on(here: tuple[str, int], there: tuple[str, int]) -> Iterator[None]:
    """Connections to `here` are connections to `there`."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            try:
                far = socket.create_connection(there)
            except OSError:
                return  # not up yet: the worker tries again
            with far:
                back = threading.Thread(target=copy, args=(far, self.request), daemon=True)
                back.start()
                copy(self.request, far)
                back.join()

    def copy(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while content := source.recv(65536):
                target.sendall(content)
            target.shutdown(socket.SHUT_WR)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads, allow_reuse_address = True, True

    with Server(here, Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield
        server.shutdown()


# The second worker's memory holds half of its part of the batch.
SMALL = """\
import sys
from pathlib import Path
from zoohub.training.several import worker
from zoohub.framework import limit_onednn

limit_onednn()
from zoohub.training.steps.trainer import Trainer

step = Trainer.step

def full(self, batches, lr):
    if self.rank == 1 and self.step_count == 30 and len(batches) == 1:
        raise MemoryError
    return step(self, batches, lr)

Trainer.step = full
worker.main(Path(sys.argv[1]))
"""


@pytest.mark.slow
def test_workers_whose_memory_ends_go_on_together_in_smaller_parts(
    tmp_path: Path, two: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "small.py").write_text(SMALL)
    monkeypatch.setattr(launch, "WORKER", tmp_path / "small.py")
    said: list[str] = []
    run = finetune(parse_recipe(RECIPE), output=tmp_path / "run", workers=2, say=said.append)
    assert any("computing 8 at a time" in text and "stays 32" in text for text in said)
    assert len(history(run.path)) == 2
    expected = load_weights(two.run.path / "last.ckpt")
    for name, value in weights_of(run.path / "last.ckpt").items():
        np.testing.assert_allclose(value, expected[name], rtol=0, atol=1e-5, err_msg=name)


@pytest.mark.slow
def test_workers_end_with_a_run_that_is_stopped(tmp_path: Path) -> None:
    def stop(report: StepReport) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        finetune(parse_recipe(RECIPE), output=tmp_path / "run", workers=2, on_step=stop)
    assert (tmp_path / "run" / "workers" / "events.jsonl").exists()
    assert not [p for p in psutil.process_iter() if str(tmp_path) in " ".join(arguments(p))]


def arguments(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:  # it has just ended
        return []


def children_of(process: subprocess.Popen[str]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def is_worker(process: psutil.Process) -> bool:
    """Not the scheduler, which runs the same program and ends later, nor what follows a log."""
    program = any(argument.endswith("worker.py") for argument in process.cmdline())
    return program and process.environ().get("MS_ROLE") == "MS_WORKER"


def kill(processes: Sequence[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


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
    one = finetune(parse_recipe(NORMALISED), output=tmp_path / "one")
    two = finetune(parse_recipe(NORMALISED), output=tmp_path / "two", workers=2)
    expected = load_weights(one.path / "last.ckpt")
    found = load_weights(two.path / "last.ckpt")
    assert any("moving_mean" in name for name in expected)
    start = starting_weights(NORMALISED)
    for name in start:
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


def test_a_run_that_is_there_is_refused_before_the_workers_start(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("{}")
    with pytest.raises(DataError, match="there is a run in this folder already"):
        finetune(parse_recipe(RECIPE), output=tmp_path, workers=2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"nodes": 2}, "2 machines: say where the first is .*--master.*--node-rank"),
        ({"nodes": 2, "master": "node0", "node_rank": 2}, "node rank 2, but 2 machines"),
        ({"node_rank": 1}, r"node rank 1, but 1 machine.*say how many.*--nodes"),
    ],
)
def test_machines_that_are_not_told_of_each_other_are_refused(
    tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(RecipeError, match=message):
        finetune(parse_recipe(RECIPE), output=tmp_path / "run", **options)


def test_a_failed_worker_s_own_error_is_what_the_user_gets(tmp_path: Path) -> None:
    writer = EventWriter(tmp_path / "events.jsonl")
    writer.fail(DataError("flowers: no picture"))
    writer.fail(RuntimeError("the other worker is gone"))
    reader = EventReader(tmp_path / "events.jsonl", Listeners())
    reader.poll()
    error = failure(reader.error, 1, tmp_path)
    assert isinstance(error, DataError)
    assert str(error) == "flowers: no picture"
    other = failure(("RuntimeError", "timed out\n----\nC++ stack"), 1, tmp_path)
    assert type(other) is ZoohubError
    assert "a worker failed: RuntimeError: timed out; the logs are in" in str(other)
    assert "msrun exit -9" in str(failure(None, -9, tmp_path))


def test_several_machines_meet_at_the_masters_address(tmp_path: Path) -> None:
    command = msrun_command(tmp_path, Machines(4, 2, "node0:9000", 1))
    assert "--worker_num=8" in command
    assert "--local_worker_num=4" in command
    assert "--master_addr=node0" in command
    assert "--master_port=9000" in command
    assert "--node_rank=1" in command


def test_events_pass_whole_lines_on_as_they_come(tmp_path: Path) -> None:
    step = StepReport(1, 2, 3, 4, 0.5, 0.01, 100.0, {"accuracy": 0.75})
    epoch = EpochReport(1, 0.5, 0.01, 2.0, {"accuracy": 0.75}, {"top1": None}, ("top-1", None))
    seen: list[object] = []
    reader = EventReader(
        tmp_path / "events.jsonl", Listeners(seen.append, seen.append, seen.append)
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
