"""One of several processes that train together; msrun starts it with the job's file."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zoohub.training.events import EventWriter
    from zoohub.training.launch import Job

LOOK_SECONDS = 1.0


def main(job_file: Path) -> None:
    """Run the job; where that fails, tell the process that the user looks at why."""
    from zoohub.training.events import EventWriter
    from zoohub.training.launch import EVENTS, Job

    job = Job(**json.loads(job_file.read_text(encoding="utf-8")))
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

    from zoohub.training.detection.execute import DetectionFolder, execute_detection
    from zoohub.training.detection.recipe import is_detection, read_detection_recipe
    from zoohub.training.execute import execute
    from zoohub.training.fitting import Workers
    from zoohub.training.folder import RunFolder
    from zoohub.training.recipe import read_recipe

    output, detection = Path(job.output), is_detection(file)
    recipe = read_detection_recipe(file) if detection else read_recipe(file)
    ms.set_context(mode=ms.GRAPH_MODE if recipe.mode == "graph" else ms.PYNATIVE_MODE)
    init("mccl" if ms.get_context("device_target") == "CPU" else None)
    folder = DetectionFolder(output) if detection else RunFolder(output)
    run: Any = execute_detection if detection else execute
    rank = get_rank()
    run(
        recipe,
        folder,
        resume=job.resume,
        workers=Workers(get_group_size(), rank),
        on_step=None if rank else events.step,
        on_epoch=None if rank else events.epoch,
        say=print if rank else events.say,
        save_seconds=job.save_seconds,
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
