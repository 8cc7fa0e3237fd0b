"""One of several processes that train together; msrun starts it with the job's file."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zoohub.training.events import EventWriter


def main(job_file: str) -> None:
    """Run the job; where that fails, tell the process that the user looks at why."""
    from zoohub.training.events import EventWriter
    from zoohub.training.launch import EVENTS

    events = EventWriter(Path(job_file).with_name(EVENTS))
    try:
        work(Path(job_file), events)
    except Exception as error:
        events.fail(error)
        raise


def work(job_file: Path, events: EventWriter) -> None:
    """Join the others and run the job; only rank 0 writes the run's folder."""
    from zoohub.framework import limit_onednn

    limit_onednn()
    import mindspore as ms
    from mindspore.communication import get_group_size, get_rank, init

    from zoohub.training.detection.execute import DetectionFolder, execute_detection
    from zoohub.training.detection.recipe import is_detection, read_detection_recipe
    from zoohub.training.execute import execute
    from zoohub.training.fitting import Workers
    from zoohub.training.folder import RunFolder
    from zoohub.training.launch import Job
    from zoohub.training.recipe import read_recipe

    job = Job(**json.loads(job_file.read_text(encoding="utf-8")))
    file, output = job_file.with_name("recipe.yaml"), Path(job.output)
    detection = is_detection(file)
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
    main(sys.argv[1])
