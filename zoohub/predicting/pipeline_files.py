"""An exported pipeline: the networks' files, and a small JSON file beside them that names them.

{"pipeline": "ocr", "task": "…", "steps": {"detection": "detection.onnx", …}}
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeGuard

from zoohub.core.atomic import write_whole
from zoohub.core.json_reader import read_json_file
from zoohub.core.paths import local_path
from zoohub.errors import DataError, ExportError

_MOST = 1 << 20  # bytes
_KEYS = {"pipeline", "task", "steps"}


@dataclass(frozen=True)
class PipelineFile:
    """What the file says: `steps` are the absolute paths of the networks' files."""

    pipeline: str
    task: str
    steps: Mapping[str, str]


def is_pipeline_file(name: str) -> bool:
    """Whether a model's name is that of a pipeline's file."""
    return name.lower().endswith(".json")


def read_pipeline_file(name: str | Path) -> PipelineFile:
    """The pipeline of a file that `write_pipeline_file` wrote.

    Raises:
        DataError: there is no such file, or it says something else.
    """
    path = local_path(name)
    said = read_json_file(path, error=DataError, max_bytes=_MOST)
    if isinstance(said, dict) and set(said) == _KEYS:
        pipeline, task, steps = said["pipeline"], said["task"], said["steps"]
        if isinstance(pipeline, str) and isinstance(task, str) and isinstance(steps, dict):
            files = {k: str(path.parent / v) for k, v in steps.items() if _is_beside(v)}
            if steps and len(files) == len(steps):
                return PipelineFile(pipeline, task, files)
    raise DataError(
        f"{name} is no exported pipeline; give what `zoohub export PIPELINE --output DIR` wrote"
    )


def write_pipeline_file(path: Path, pipeline: str, task: str, steps: Mapping[str, str]) -> None:
    """Write the description; `steps` are names of files beside it.

    Raises:
        ExportError: it cannot be written.
    """
    said = {"pipeline": pipeline, "task": task, "steps": dict(steps)}
    try:
        write_whole(path, (json.dumps(said, indent=2) + "\n").encode())
    except OSError as error:
        raise ExportError(f"{path} cannot be written: {error.strerror or error}") from None


def _is_beside(file: object) -> TypeGuard[str]:
    """Whether it is the name of a file in the same folder: a description leads nowhere else."""
    return isinstance(file, str) and Path(file).name == file and file not in ("", ".", "..")
