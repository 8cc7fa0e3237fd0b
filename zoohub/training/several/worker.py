"""One of several processes that train together; msrun starts it with the job's file."""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoohub.training.several.events import EventWriter
    from zoohub.training.several.launch import Job

LOOK_SECONDS = 0.1


def main(job_file: Path) -> None:
    """Run the job; where that fails, tell the process that the user looks at why."""
    from zoohub.core.json_reader import parse_own
    from zoohub.training.several.events import EventWriter
    from zoohub.training.several.launch import EVENTS, Job

    job = Job(**parse_own(job_file.read_text(encoding="utf-8")))
    threading.Thread(target=end_without, args=(job.launcher,), daemon=True).start()
    events = EventWriter(job_file.with_name(EVENTS))
    try:
        work(job, job_file.with_name("recipe.yaml"), events)
    except Exception as error:
        events.fail(error)
        raise


def end_without(launcher: int) -> None:
    """End this process once `launcher` has ended: killed, it cannot end its workers, and they
    would go on in a folder that somebody resumes."""
    while True:
        try:
            os.kill(launcher, 0)
        except ProcessLookupError:
            os._exit(1)
        time.sleep(LOOK_SECONDS)


def work(job: Job, file: Path, events: EventWriter) -> None:
    """Join the others and run the recipe `file`; only rank 0 writes the run's folder."""
    from zoohub.framework import limit_onednn

    limit_onednn()
    import mindspore as ms
    from mindspore.communication import get_group_size, get_rank, init

    from zoohub.tasks.finding import read_recipe
    from zoohub.training.options import Listeners, Workers
    from zoohub.training.recorded import run_into
    from zoohub.training.run_folder import RunFolder

    recipe = read_recipe(file)
    ms.set_context(mode=ms.GRAPH_MODE if recipe.mode == "graph" else ms.PYNATIVE_MODE)
    init("mccl" if ms.get_context("device_target") == "CPU" else None)
    rank = get_rank()
    run_into(
        RunFolder(Path(job.output)),
        recipe,
        Listeners(print) if rank else Listeners(events.say, events.step, events.epoch),
        resume=job.resume,
        seconds=job.save_seconds,
        workers=Workers(get_group_size(), rank),
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
