"""Several processes for one run, started by MindSpore's own msrun."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from zoohub.errors import RecipeError, ZoohubError
from zoohub.training.recipe import Recipe, recipe_text

JOB = "job.json"


@dataclass(frozen=True)
class Job:
    """What every worker reads: where the run's folder is, and how to go about it."""

    output: str
    resume: bool
    save_seconds: float


def launch(
    recipe: Recipe,
    output: Path,
    *,
    resume: bool,
    workers: int,
    master: str | None,
    node_rank: int | None,
    save_seconds: float,
    say: Callable[[str], object],
) -> None:
    """Train `recipe` into `output` with `workers` processes on each machine; waits for the end.

    With `master` (HOST or HOST:PORT of the first machine) and `node_rank`, this is one of several
    machines, each of which runs the same command; ZOOHUB_NODES says how many there are (2).

    Raises:
        RecipeError: the batch cannot be shared by the workers.
        ZoohubError: msrun is missing or a worker failed; names its log.
    """
    nodes = int(os.environ.get("ZOOHUB_NODES", "2")) if master is not None else 1
    total = workers * nodes
    if recipe.batch_size % total:
        raise RecipeError(
            f"batch_size {recipe.batch_size} cannot be shared by {total} workers; "
            f"take a multiple of {total}"
        )
    folder = output.absolute() / "workers"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "recipe.yaml").write_text(recipe_text(recipe), encoding="utf-8")
    job = Job(str(output.absolute()), resume, save_seconds)
    (folder / JOB).write_text(json.dumps(asdict(job)), encoding="utf-8")
    command = msrun_command(
        folder, workers=workers, total=total, master=master, node_rank=node_rank or 0
    )
    say(f"{total} workers; their logs are in {folder}")
    done = subprocess.run(command, check=False, stdout=subprocess.DEVNULL, cwd=folder)
    if done.returncode:
        log = folder / "worker_0.log"
        tail = log.read_text(encoding="utf-8", errors="replace")[-2000:] if log.is_file() else ""
        raise ZoohubError(f"a worker failed (msrun exit {done.returncode}); see {log}\n{tail}")


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
        f"--master_port={port or 8118}",
        f"--node_rank={node_rank}",
        "--join=True",
        f"--log_dir={folder}",
        str(Path(__file__).with_name("worker.py")),
        str(folder / JOB),
    ]


def free_port() -> int:
    """A TCP port that nobody listens on."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])
