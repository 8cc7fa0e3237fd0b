"""An exported pipeline: the networks' files, and a small JSON file beside them that names them.

{"pipeline": "ocr", "task": "…", "steps": {"detection": "detection.onnx", …},
 "sha256": {"detection": "…", …}}
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeGuard

from zoohub.core.atomic import write_whole
from zoohub.core.hashing import hash_file
from zoohub.core.json_reader import read_json_file
from zoohub.core.paths import local_path
from zoohub.errors import DataError, ExportError
from zoohub.running.runner import existing

_MOST = 1 << 20  # bytes
_KEYS = {"pipeline", "task", "steps"}
_SHA256 = re.compile("[0-9a-f]{64}")
_HASHES = "sha256"  # which older files do not have


@dataclass(frozen=True)
class PipelineFile:
    """What the file says: `steps` are the absolute paths of the networks' files, `hashes` their
    SHA-256; files of before zoohub wrote these have none."""

    pipeline: str
    task: str
    steps: Mapping[str, str]
    hashes: Mapping[str, str] = field(default_factory=dict)

    def check(self, step: str) -> None:
        """That a step's file is the one the pipeline was exported with.

        Raises:
            DataError: it is another, or cannot be read.
        """
        if step not in self.hashes:
            return
        path = Path(self.steps[step])
        try:
            found = hash_file(existing(path)).sha256
        except OSError as error:
            raise DataError(f"{path} cannot be read: {error.strerror or error}") from None
        if found != self.hashes[step]:
            raise DataError(
                f"{path} is not the file that was exported with {self.pipeline}: its SHA-256 is "
                f"{found[:8]}…, not {self.hashes[step][:8]}…; export the pipeline again, or name "
                f"the file in its place (--set {step}={path})"
            )


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
    if isinstance(said, dict) and set(said) - {_HASHES} == _KEYS:
        pipeline, task, steps = said["pipeline"], said["task"], said["steps"]
        hashes = said.get(_HASHES)
        if isinstance(pipeline, str) and isinstance(task, str) and isinstance(steps, dict):
            files = {k: str(local_path(path.parent / v)) for k, v in steps.items() if _is_beside(v)}
            if steps and len(files) == len(steps) and (hashes is None or _binds(hashes, steps)):
                return PipelineFile(pipeline, task, files, hashes or {})
    raise DataError(
        f"{name} is no exported pipeline; give what `zoohub export PIPELINE --output DIR` wrote"
    )


def write_pipeline_file(path: Path, pipeline: str, task: str, steps: Mapping[str, str]) -> None:
    """Write the description; `steps` are names of files beside it, which are there.

    Raises:
        ExportError: it cannot be written, or a file not be read.
    """
    said = {"pipeline": pipeline, "task": task, "steps": dict(steps)}
    try:
        said[_HASHES] = {k: hash_file(path.with_name(file)).sha256 for k, file in steps.items()}
        write_whole(path, (json.dumps(said, indent=2) + "\n").encode())
    except OSError as error:
        raise ExportError(f"{path} cannot be written: {error.strerror or error}") from None


def _binds(hashes: object, steps: Mapping[str, object]) -> TypeGuard[Mapping[str, str]]:
    """Whether each step has a SHA-256, and nothing else has."""
    return (
        isinstance(hashes, dict)
        and set(hashes) == set(steps)
        and all(isinstance(h, str) and _SHA256.fullmatch(h) for h in hashes.values())
    )


def _is_beside(file: object) -> TypeGuard[str]:
    """Whether it is the name of a file in the same folder: a description leads nowhere else."""
    if not isinstance(file, str) or "\x00" in file:
        return False
    return Path(file).name == file and file not in ("", ".", "..")
