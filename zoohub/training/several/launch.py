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
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from zoohub import errors
from zoohub.core.counting import counted, plural
from zoohub.core.interrupts import interruptible
from zoohub.errors import BatchTooLarge, RecipeError, ZoohubError
from zoohub.tasks.recipe import Recipe, recipe_text
from zoohub.training.memory import next_smaller, smaller_parts
from zoohub.training.options import Listeners, Machines, Saving
from zoohub.training.run import Run, load_run
from zoohub.training.run_folder import RECIPE, RunFolder, explained
from zoohub.training.several.events import EventReader

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
    recipe: Recipe, run: RunFolder, machines: Machines, saving: Saving, listeners: Listeners
) -> Run:
    """Train `recipe` into `run` with several processes on each machine; waits for the end.

    What the first worker reports is passed on here, if it is on this machine. With a `master` each
    of the machines runs the same command. Where a worker's memory does not hold its part of the
    batch, all go on with smaller parts; with several machines that is an error.

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
    rank = check_machines(machines)
    nodes, total, say = machines.nodes, machines.workers * machines.nodes, listeners.say
    if recipe.batch_size % total:
        raise RecipeError(
            f"batch_size {recipe.batch_size} cannot be shared by {counted(total, 'worker')}; "
            f"take a multiple of {total}"
        )
    resume = saving.resume
    if not resume and not rank:
        run.check_unused()
    # Machines may share the run's folder: each has its own for what its workers say.
    folder = run.path.absolute() / (f"workers-{rank}" if rank else "workers")
    machine = f" on {nodes} machines, of which this is number {rank}" if nodes > 1 else ""
    say(
        f"{counted(total, 'worker')}{machine}; {plural(total, 'its log is', 'their logs are')} in "
        f"{folder}"
    )
    while True:
        job = Job(str(run.path.absolute()), resume, saving.seconds, os.getpid())
        _prepare(folder, recipe, job)
        if rank and not resume and not run.used:
            run.write_text(RECIPE, recipe_text(recipe))  # what --resume reads on this machine
        events = EventReader(folder / EVENTS, listeners)
        with interruptible():
            code = _run(msrun_command(folder, machines), folder, events)
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
        say(f"done; the run is in its folder on the first machine ({machines.master})")
        return Run(run.path, None, {})
    return load_run(run.path)


def _prepare(folder: Path, recipe: Recipe, job: Job) -> None:
    """Write what the workers read."""
    with explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / RECIPE).write_text(recipe_text(recipe), encoding="utf-8")
        (folder / JOB).write_text(json.dumps(asdict(job)), encoding="utf-8")
        (folder / EVENTS).unlink(missing_ok=True)


def check_machines(machines: Machines) -> int:
    """Which machine this is, from 0.

    Raises:
        RecipeError: the first machine is not named, or there is no such number.
    """
    nodes, rank = machines.nodes, machines.node_rank or 0
    if nodes > 1 and (machines.master is None or machines.node_rank is None):
        raise RecipeError(
            f"{nodes} machines: say where the first is (--master HOST) and which of them this is "
            "(--node-rank, from 0)"
        )
    if not 0 <= rank < nodes:
        raise RecipeError(
            f"node rank {rank}, but {counted(nodes, 'machine')}: they count from 0; "
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


def msrun_command(folder: Path, machines: Machines) -> list[str]:
    """msrun's command line for the workers of this machine."""
    host, _, port = (machines.master or f"127.0.0.1:{free_port()}").partition(":")
    program = shutil.which("msrun", path=str(Path(sys.executable).parent)) or shutil.which("msrun")
    if program is None:
        raise ZoohubError("msrun, which comes with MindSpore, is not on the PATH")
    return [
        program,
        f"--worker_num={machines.workers * machines.nodes}",
        f"--local_worker_num={machines.workers}",
        f"--master_addr={host}",
        f"--master_port={port or MASTER_PORT}",
        f"--node_rank={machines.node_rank or 0}",
        "--join=True",
        f"--log_dir={folder}",
        str(WORKER),
        str(folder / JOB),
    ]


def worker_environment() -> dict[str, str]:
    """msrun starts whatever `python` the PATH has: let it be this one, with this zoohub."""
    here = str(Path(__file__).resolve().parents[3])
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
