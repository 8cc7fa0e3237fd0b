"""A run's folder read back: what `zoohub.load("./runs/flowers")` needs. Free of MindSpore."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from zoohub.core.json_reader import read_json_file
from zoohub.core.paths import local_path
from zoohub.errors import CheckpointCorrupt, DataError
from zoohub.manifest.codec import decode_entry
from zoohub.manifest.entry import NESTED_CONTRACTS, Checkpoint, Entry, InputContract, NetworkSpec
from zoohub.manifest.schema import check_fields
from zoohub.manifest.values import SchemaError
from zoohub.networks.families import find_family, outputs_for

RUN_FILE = "run.json"
WEIGHTS = "weights.ckpt"
SCHEMA = 1


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
    return (local_path(path) / RUN_FILE).is_file()


def open_run(path: str | Path) -> SavedRun:
    """The finished run in the folder `path`.

    Raises:
        DataError: the folder holds no finished run.
        CheckpointCorrupt: its files do not fit together.
    """
    folder = local_path(path)
    file = folder / RUN_FILE
    if not file.is_file():
        unfinished = (folder / "state").is_dir()
        hint = "it is unfinished: `zoohub finetune … --resume` goes on" if unfinished else ""
        raise DataError(f"{folder}: no finished run (there is no {RUN_FILE}) {hint}".rstrip())
    try:
        content: Any = read_json_file(file, error=CheckpointCorrupt)
        if content["schema"] != SCHEMA:
            raise DataError(
                f"{file}: written by another zoohub (schema {content['schema']}); upgrade zoohub"
            )
        _check(content)
        entry = decode_entry(content["model"], str(folder))
        checkpoint = entry.checkpoints[0]
        classes = tuple(content["classes"])
        metrics = content["metrics"]
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise CheckpointCorrupt(f"{file}: not a run's index entry: {error!r}") from None
    weights = folder / WEIGHTS
    if not weights.is_file() or weights.stat().st_size != checkpoint.size:
        raise CheckpointCorrupt(f"{weights}: missing, or not of the {checkpoint.size} bytes it had")
    return SavedRun(folder, entry, checkpoint, classes, weights, metrics)


def _check(content: object) -> None:
    """That the entry holds what an index's may: somebody may have edited it, or sent it. What the
    user has named, the run's folder and the data's, need not be names of an index.

    Raises:
        ValueError, KeyError, TypeError: it does not.
    """
    said: Any = content
    model, (checkpoint, *_) = said["model"], said["model"]["checkpoints"]
    own = [model["model"], model["family"], checkpoint.get("dataset", ""), *said["classes"]]
    if not all(isinstance(text, str) for text in own) or type(checkpoint["size"]) is not int:
        raise TypeError("names are texts, and a size is a whole number")
    if not isinstance(said["metrics"], dict):
        raise TypeError("metrics are numbers by name")
    named = {"model": "run", "family": "run", "checkpoints": [{**checkpoint, "dataset": "own"}]}
    try:
        check_fields({**model, **named}, ())
    except SchemaError as error:
        raise ValueError(f"{'.'.join(map(str, error.where))} {error.message}") from None


@dataclass(frozen=True)
class RunFacts:
    """What `run.json` is made of.

    `entry` and `start` are the index's, of the model and of the checkpoint that the run started
    from (None: fresh weights); `sha256` and `size` are of the weights' file; `published` are the
    metrics that go into the index entry, where they are known.
    """

    name: str
    task: str
    entry: Entry | None
    start: Checkpoint | None
    spec: NetworkSpec
    contract: InputContract
    classes: tuple[str, ...]
    sha256: str
    size: int
    dataset: str
    mindspore: str
    metrics: Mapping[str, Any]
    published: tuple[str, ...]


def run_document(run: RunFacts) -> dict[str, object]:
    """The contents of `run.json`: an index entry, as in a compiled index, and what it lacks.

    The licence and the terms of the data are those of the weights the run started from.
    """
    arguments = dict(run.spec.arguments)
    if run.classes:
        arguments[find_family(run.spec.builder).classes_argument] = outputs_for(
            run.spec, len(run.classes)
        )
    contract = _without_none(asdict(run.contract))
    for name in NESTED_CONTRACTS:
        nested = getattr(run.contract, name)
        if nested is not None:
            contract[name] = _without_none(asdict(nested))
    if run.contract.text is not None:
        contract = {"text": contract["text"]}
    network = _without_none(asdict(replace(run.spec, arguments=arguments, parameters=None)))
    # In percent, as publishers state theirs in the index.
    known = (key for key in run.published if key in run.metrics)
    numbers = {key: round(100 * run.metrics[key], 2) for key in known}
    checkpoint = {
        "id": "run",
        "format": "ckpt",
        "sources": [],
        "sha256": run.sha256,
        "size": run.size,
        "dataset": run.dataset,
        "metrics": numbers,
        "licence": run.start.licence if run.start else None,
        "dataset_terms": run.start.dataset_terms if run.start else None,
        "mindspore": run.mindspore,
        "verified": [run.mindspore],
        "fine_tunable": True,
    }
    model = {
        "model": run.name,
        "family": run.entry.family if run.entry else run.name,
        "task": run.entry.task if run.entry else run.task,
        "default": "run",
        "network": network,
        "input": contract,
        "checkpoints": [_without_none(checkpoint)],
    }
    return {
        "schema": SCHEMA,
        "model": model,
        "classes": list(run.classes),
        "metrics": dict(run.metrics),
    }


def _without_none(value: Mapping[str, object]) -> dict[str, object]:
    return {key: item for key, item in value.items() if item is not None}
