"""A run's folder read back: what `zoohub.load("./runs/flowers")` needs. Free of MindSpore."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from zoohub.errors import CheckpointCorrupt, DataError
from zoohub.manifest.codec import decode_entry
from zoohub.manifest.entry import Checkpoint, Entry, InputContract, NetworkSpec

RUN_FILE = "run.json"
WEIGHTS = "weights.ckpt"
SCHEMA = 1
_HEADLINES = ("top1", "top5", "map", "map50")


@dataclass(frozen=True)
class SavedRun:
    """A finished run: its index entry, its one checkpoint, its class names and its weights."""

    path: Path
    entry: Entry
    checkpoint: Checkpoint
    classes: tuple[str, ...]
    weights: Path
    metrics: Mapping[str, Any]


def is_run(path: str | Path) -> bool:
    """Whether `path` is a folder that holds a finished run."""
    return (Path(path).expanduser() / RUN_FILE).is_file()


def open_run(path: str | Path) -> SavedRun:
    """The finished run in the folder `path`.

    Raises:
        DataError: the folder holds no finished run.
        CheckpointCorrupt: its files do not fit together.
    """
    folder = Path(path).expanduser()
    file = folder / RUN_FILE
    if not file.is_file():
        unfinished = (folder / "state").is_dir()
        hint = "it is unfinished: `zoohub finetune … --resume` goes on" if unfinished else ""
        raise DataError(f"{folder}: no finished run (there is no {RUN_FILE}) {hint}".rstrip())
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        if content["schema"] != SCHEMA:
            raise DataError(
                f"{file}: written by another zoohub (schema {content['schema']}); upgrade zoohub"
            )
        entry = decode_entry(content["model"], str(folder))
        checkpoint = entry.checkpoints[0]
        classes = tuple(content["classes"])
        metrics = content["metrics"]
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise CheckpointCorrupt(f"{file}: not a run's index entry: {error!r}") from None
    weights = folder / WEIGHTS
    if not weights.is_file() or weights.stat().st_size != checkpoint.size:
        raise CheckpointCorrupt(f"{weights}: missing, or not of the {checkpoint.size} bytes it had")
    return SavedRun(folder, entry, checkpoint, classes, weights, metrics)


def run_document(
    *,
    name: str,
    entry: Entry | None,
    start: Checkpoint | None,
    spec: NetworkSpec,
    contract: InputContract,
    classes: tuple[str, ...],
    sha256: str,
    size: int,
    dataset: str,
    mindspore: str,
    metrics: Mapping[str, Any],
    task: str = "image-classification",
) -> dict[str, Any]:
    """The contents of `run.json`: an index entry, as in a compiled index, and what it lacks.

    The licence and the terms of the data are those of the weights the run started from.
    """
    arguments = {**spec.arguments, "num_classes": len(classes)}
    network = _without_none(asdict(replace(spec, arguments=arguments, parameters=None)))
    # In percent, as publishers state theirs in the index.
    numbers = {k: round(100 * metrics[k], 2) for k in _HEADLINES if k in metrics}
    checkpoint = {
        "id": "run",
        "format": "ckpt",
        "sources": [],
        "sha256": sha256,
        "size": size,
        "dataset": dataset,
        "metrics": numbers,
        "licence": start.licence if start else None,
        "dataset_terms": start.dataset_terms if start else None,
        "mindspore": mindspore,
        "verified": [mindspore],
        "fine_tunable": True,
    }
    model = {
        "model": name,
        "family": entry.family if entry else name,
        "task": entry.task if entry else task,
        "default": "run",
        "network": network,
        "input": _without_none(asdict(contract)),
        "checkpoints": [_without_none(checkpoint)],
    }
    return {"schema": SCHEMA, "model": model, "classes": list(classes), "metrics": dict(metrics)}


def _without_none(value: Mapping[str, Any]) -> dict[str, Any]:
    return {key: item for key, item in value.items() if item is not None}
