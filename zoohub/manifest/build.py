"""Compiling a folder of YAML files into models and into the interchange form."""

from __future__ import annotations

import datetime
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from zoohub.core.atomic import standing_in
from zoohub.core.yaml_reader import read_yaml
from zoohub.errors import ManifestError
from zoohub.manifest.compiled import ModelRow
from zoohub.manifest.database_build import build_database
from zoohub.manifest.family import compile_family, family_file_problem
from zoohub.manifest.interchange import Header, moment_of, write_interchange
from zoohub.manifest.places import DATASETS, yaml_files


@dataclass(frozen=True)
class BuildReport:
    """What `build_index` did: files read, models and checkpoints written, seconds taken."""

    output: Path
    files: int
    models: int
    checkpoints: int
    seconds: float


def compile_files(folder: Path) -> Iterator[tuple[Path, list[ModelRow]]]:
    """Each family file with its compiled models. Raises ManifestError naming file and line."""
    terms = read_terms(folder / DATASETS)
    for file in yaml_files(folder):
        shown = str(file) if file == folder else str(file.relative_to(folder.parent))
        document = read_yaml(file, name=shown)
        models = compile_family(document)
        for model in models:
            for checkpoint in model.get("checkpoints", ()):
                known = terms.get(checkpoint.get("dataset"))
                if known is not None:
                    checkpoint.setdefault("dataset_terms", known)
        if file != folder:
            problem = family_file_problem(file.parent.name, file.stem, document)
            if problem:
                raise document.error((), problem)
        yield file, models


def read_terms(file: Path) -> dict[str | None, str]:
    """Dataset -> its terms, from `datasets.yaml`; empty where there is no such file."""
    if not file.is_file():
        return {}
    document = read_yaml(file)
    terms: dict[str | None, str] = {}
    if not isinstance(document.value or {}, dict):
        raise document.error((), "write `DATASET: {terms: …}`")
    for dataset, value in document.mapping().items():
        if not isinstance(value, dict) or set(value) != {"terms"}:
            raise document.error((dataset,), "write `{terms: …}`")
        if not isinstance(value["terms"], str):
            raise document.error((dataset, "terms"), "must be text")
        terms[dataset] = value["terms"]
    return terms


def compile_folder(folder: Path) -> list[ModelRow]:
    """All compiled models of a folder (or of one file), sorted by name.

    Raises:
        ManifestError: a file is not allowed, or a model's name occurs twice.
    """
    found: dict[str, tuple[Path, ModelRow]] = {}
    for file, models in compile_files(folder):
        for model in models:
            name = model["model"]
            if name in found:
                raise ManifestError(f"{file}: the model {name!r} is in {found[name][0]} too")
            found[name] = (file, model)
    return [found[name][1] for name in sorted(found)]


def build_index(
    folder: Path,
    output: Path,
    *,
    serial: int | None = None,
    created: str | None = None,
    expires: str | None = None,
) -> BuildReport:
    """Compile `folder` into `output`: interchange form (`.jsonl.gz`) or SQLite (`.sqlite`).

    `serial` and `created` default to now, or to SOURCE_DATE_EPOCH where that is set, so that a
    build can be repeated byte for byte. `expires` is a date or time in ISO 8601, from which on
    clients no longer take this version.

    Raises:
        ManifestError: as `compile_folder`, or `expires` is no date, or for a form without one.
    """
    if expires is not None and moment_of(expires) is None:
        raise ManifestError(f"expires must be a date or time like 2027-01-31; got {expires!r}")
    if expires is not None and output.suffix == ".sqlite":
        raise ManifestError(f"{output} is a local form, which does not expire; write a .jsonl.gz")
    start = time.perf_counter()
    models = compile_folder(folder)
    moment = int(os.environ.get("SOURCE_DATE_EPOCH") or time.time())
    day = datetime.datetime.fromtimestamp(moment, datetime.timezone.utc)
    header = Header(
        serial=moment if serial is None else serial,
        created=day.strftime("%Y-%m-%dT%H:%M:%SZ") if created is None else created,
        expires=expires,
    )
    output.parent.mkdir(parents=True, exist_ok=True)
    with standing_in(output) as part:
        if output.suffix == ".sqlite":
            meta = {"serial": header.serial, "created": header.created}
            build_database(part, models, meta)
        else:
            write_interchange(part, header, models)
    return BuildReport(
        output=output,
        files=sum(1 for _ in yaml_files(folder)),
        models=len(models),
        checkpoints=sum(len(model.get("checkpoints", ())) for model in models),
        seconds=time.perf_counter() - start,
    )
