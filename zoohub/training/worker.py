"""One of several processes that train together; msrun starts it with the job's file."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def main(job_file: str) -> None:
    """Join the others and run the job; only rank 0 writes the run's folder."""
    from zoohub.framework import limit_onednn

    limit_onednn()
    import mindspore as ms
    from mindspore.communication import get_group_size, get_rank, init

    from zoohub.training.detection.execute import DetectionFolder, execute_detection
    from zoohub.training.detection.recipe import is_detection, read_detection_recipe
    from zoohub.training.events import EventWriter
    from zoohub.training.execute import execute
    from zoohub.training.fitting import Workers
    from zoohub.training.folder import RunFolder
    from zoohub.training.launch import EVENTS, Job
    from zoohub.training.recipe import read_recipe

    job = Job(**json.loads(Path(job_file).read_text(encoding="utf-8")))
    file, output = Path(job_file).with_name("recipe.yaml"), Path(job.output)
    detection = is_detection(file)
    recipe = read_detection_recipe(file) if detection else read_recipe(file)
    ms.set_context(mode=ms.GRAPH_MODE if recipe.mode == "graph" else ms.PYNATIVE_MODE)
    init("mccl" if ms.get_context("device_target") == "CPU" else None)
    folder = DetectionFolder(output) if detection else RunFolder(output)
    run: Any = execute_detection if detection else execute
    rank = get_rank()
    events = EventWriter(Path(job_file).with_name(EVENTS)) if rank == 0 else None
    run(
        recipe,
        folder,
        resume=job.resume,
        workers=Workers(get_group_size(), rank),
        on_step=events.step if events else None,
        on_epoch=events.epoch if events else None,
        say=events.say if events else print,
        save_seconds=job.save_seconds,
    )


if __name__ == "__main__":
    main(sys.argv[1])
