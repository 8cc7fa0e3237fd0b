"""One of several processes that train together; msrun starts it with the job's file."""

from __future__ import annotations

import json
import sys
from pathlib import Path


def main(job_file: str) -> None:
    """Join the others and run the job; only rank 0 writes the run's folder."""
    from zoohub.framework import limit_onednn

    limit_onednn()
    import mindspore as ms
    from mindspore.communication import get_group_size, get_rank, init

    from zoohub.training.execute import execute
    from zoohub.training.folder import RunFolder
    from zoohub.training.launch import Job
    from zoohub.training.recipe import read_recipe
    from zoohub.training.session import Workers

    job = Job(**json.loads(Path(job_file).read_text(encoding="utf-8")))
    recipe = read_recipe(Path(job_file).with_name("recipe.yaml"))
    ms.set_context(mode=ms.GRAPH_MODE if recipe.mode == "graph" else ms.PYNATIVE_MODE)
    init("mccl" if ms.get_context("device_target") == "CPU" else None)
    workers = Workers(get_group_size(), get_rank())
    execute(
        recipe,
        RunFolder(Path(job.output)),
        resume=job.resume,
        workers=workers,
        say=print,
        save_seconds=job.save_seconds,
    )


if __name__ == "__main__":
    main(sys.argv[1])
