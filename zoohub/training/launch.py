"""Several processes for one run, started by MindSpore's own msrun."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from zoohub import errors
from zoohub.errors import BatchTooLarge, RecipeError, ZoohubError
from zoohub.training.events import EventReader
from zoohub.training.fitting import next_smaller, smaller_parts
from zoohub.training.folder import RECIPE, RunFolder, explained
from zoohub.training.interrupts import interruptible
from zoohub.training.loop import EpochReport, StepReport
from zoohub.training.recipe import TrainingRun, recipe_text
from zoohub.training.run import Run, load_run

JOB = "job.json"
EVENTS = "events.jsonl"
POLL_SECONDS = 0.2
END_SECONDS = 10.0
MASTER_PORT = 8118  # msrun's own
WORKER = Path(__file__).with_name("worker.py")


@dataclass(frozen=True)
class Job:
    """What every worker reads: where the run's folder is, how to go about it, and the process
    without which it ends."""

    output: str
    resume: bool
    save_seconds: float
    launcher: int


def launch(
    recipe: TrainingRun,
    run: RunFolder,
    *,
    resume: bool,
    workers: int,
    master: str | None,
    node_rank: int | None,
    nodes: int,
    save_seconds: float,
    say: Callable[[str], object],
    on_step: Callable[[Any], object] | None = None,
    on_epoch: Callable[[Any], object] | None = None,
    reports: tuple[type, type] = (StepReport, EpochReport),
) -> Run:
    """Train `recipe` into `run` with `workers` processes on each machine; waits for the end.

    What the first worker reports is passed on here, if it is on this machine. With `master` (HOST
    or HOST:PORT of the first machine) this is number `node_rank` of `nodes` machines, each of
    which runs the same command. `reports` are the types of a step's and an epoch's report. Where a
    worker's memory does not hold its part of the batch, all go on with smaller parts; with several
    machines that is an error.

    Returns:
        The finished run. On other machines than the first, which has its folder, it has no
        network and no figures.

    Raises:
        RecipeError: the batch cannot be shared by the workers, or does not fit into their memory,
            or the machines are not named.
        DataError: there is a run in the folder already, or the machines' pictures differ.
        StoreError, NoSpaceError: the folder cannot be written.
        ZoohubError: msrun is missing or a worker failed, with what it said; names its log.
    """
    rank = check_machines(master, node_rank, nodes)
    total = workers * nodes
    if recipe.batch_size % total:
        raise RecipeError(
            f"batch_size {recipe.batch_size} cannot be shared by {total} workers; "
            f"take a multiple of {total}"
        )
    if not resume and not rank:
        run.check_unused()
    # Machines may share the run's folder: each has its own for what its workers say.
    folder = run.path.absolute() / (f"workers-{rank}" if rank else "workers")
    machine = f" on {nodes} machines, of which this is number {rank}" if nodes > 1 else ""
    say(f"{total} workers{machine}; their logs are in {folder}")
    while True:
        job = Job(str(run.path.absolute()), resume, save_seconds, os.getpid())
        with explained(folder):
            folder.mkdir(parents=True, exist_ok=True)
            (folder / RECIPE).write_text(recipe_text(recipe), encoding="utf-8")
            (folder / JOB).write_text(json.dumps(asdict(job)), encoding="utf-8")
            (folder / EVENTS).unlink(missing_ok=True)
        if rank and not resume and not run.used:
            run.write_text(RECIPE, recipe_text(recipe))  # what --resume reads on this machine
        command = msrun_command(folder, workers=workers, total=total, master=master, node_rank=rank)
        events = EventReader(
            folder / EVENTS, on_step=on_step, on_epoch=on_epoch, say=say, reports=reports
        )
        with interruptible():
            code = _run(command, folder, events)
        if not code and events.error is None:
            break
        error = failure(events.error, code, folder)
        if not isinstance(error, BatchTooLarge) or nodes > 1:
            raise error
        # The others were in the middle of a step: all begin again, from what was saved.
        before = recipe.micro_batch or recipe.batch_size // total
        recipe, resume = replace(recipe, micro_batch=next_smaller(before)), run.used
        say(smaller_parts(before, next_smaller(before), recipe.batch_size))
    if rank:
        say(f"done; the run is in its folder on the first machine ({master})")
        return Run(run.path, None, {})
    return load_run(run.path)


def check_machines(master: str | None, node_rank: int | None, nodes: int) -> int:
    """Which machine this is, from 0.

    Raises:
        RecipeError: the first machine is not named, or there is no such number.
    """
    if nodes > 1 and (master is None or node_rank is None):
        raise RecipeError(f"{nodes} machines: say where the first is (--master) and which is this")
    rank = node_rank or 0
    if not 0 <= rank < nodes:
        raise RecipeError(
            f"node rank {rank}, but {nodes} machine{'s' if nodes > 1 else ''}: they count from 0; "
            "say how many there are (--nodes)"
        )
    return rank


def failure(said: tuple[str, str] | None, code: int, folder: Path) -> ZoohubError:
    """What a run ends with whose workers failed: the error of the first that said one."""
    if said is None:
        return ZoohubError(
            f"a worker ended without a word (msrun exit {code}): was it killed, or did the memory "
            f"end? The logs are in {folder}; --resume goes on"
        )
    name, text = said
    kind = getattr(errors, name, None)
    if isinstance(kind, type) and issubclass(kind, ZoohubError):
        return kind(text)
    first = text.partition("\n")[0].strip()
    return ZoohubError(
        f"a worker failed: {name}: {first}; the logs are in {folder}, and --resume goes on"
    )


def _run(command: list[str], folder: Path, events: EventReader) -> int:
    """msrun's exit code; its workers end with us."""
    with (folder / "msrun.log").open("wb") as log:
        process = subprocess.Popen(
            command,
            stdout=log,
            stderr=log,
            cwd=folder,
            env=worker_environment(),
            start_new_session=True,
        )
        try:
            # Once one has failed the others wait for it in vain.
            while process.poll() is None and events.error is None:
                events.poll()
                time.sleep(POLL_SECONDS)
            events.poll()
        finally:
            if process.poll() is None:
                end_msrun(process)
    return process.returncode


def end_msrun(process: subprocess.Popen[bytes]) -> None:
    """End msrun and its workers, which it has put into sessions of their own: only its handler of
    an interrupt kills them."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def msrun_command(
    folder: Path, *, workers: int, total: int, master: str | None, node_rank: int
) -> list[str]:
    """msrun's command line for the workers of this machine."""
    host, _, port = (master or f"127.0.0.1:{free_port()}").partition(":")
    program = shutil.which("msrun", path=str(Path(sys.executable).parent)) or shutil.which("msrun")
    if program is None:
        raise ZoohubError("msrun, which comes with MindSpore, is not on the PATH")
    return [
        program,
        f"--worker_num={total}",
        f"--local_worker_num={workers}",
        f"--master_addr={host}",
        f"--master_port={port or MASTER_PORT}",
        f"--node_rank={node_rank}",
        "--join=True",
        f"--log_dir={folder}",
        str(WORKER),
        str(folder / JOB),
    ]


def worker_environment() -> dict[str, str]:
    """msrun starts whatever `python` the PATH has: let it be this one, with this zoohub."""
    here = str(Path(__file__).resolve().parents[2])
    paths = [os.path.dirname(sys.executable), os.environ.get("PATH", "")]  # noqa: PTH120
    modules = [here, os.environ.get("PYTHONPATH", "")]
    return {
        **os.environ,
        "PATH": os.pathsep.join(filter(None, paths)),
        "PYTHONPATH": os.pathsep.join(filter(None, modules)),
    }


def free_port() -> int:
    """A TCP port that nobody listens on."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])
