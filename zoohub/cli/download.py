"""`zoohub download`: fetch and verify checkpoints, print their paths."""

from __future__ import annotations

import argparse
from pathlib import Path

from zoohub.cli.options import jobs, path
from zoohub.cli.output import Output
from zoohub.cli.several import Failure, exit_code, report
from zoohub.core.atomic import copy_whole, remove_leftovers
from zoohub.core.paths import expanded
from zoohub.errors import StoreError, UnknownModel, UsageError, ZoohubError
from zoohub.manifest.entry import Checkpoint
from zoohub.manifest.index import Index, Resolved
from zoohub.manifest.opening import open_index
from zoohub.manifest.output_names import output_name
from zoohub.manifest.reference import is_path
from zoohub.manifest.steps import files_of
from zoohub.models.fetching import checkpoint_of, with_offline_hint
from zoohub.models.runs import is_run, open_run
from zoohub.settings import load_settings

EXAMPLES = (
    "zoohub download yolov5",
    "p=$(zoohub download resnet50)",
    "zoohub download 'mobilenet_v2*' --output weights/ --jobs 4",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `zoohub download`."""
    parser.add_argument(
        "names", nargs="+", metavar="NAME", help="models, pipelines, or patterns like 'resnet*'"
    )
    parser.add_argument("--output", type=path, metavar="DIR", help="copy the files into DIR")
    parser.add_argument("--jobs", type=jobs, default=4, metavar="N", help="files at a time (4)")


def run(options: argparse.Namespace, output: Output) -> int:
    """Download every checkpoint named; stdout has one path a line."""
    from zoohub.transfer import Bar, Silent, fetch_many

    settings = load_settings()
    index = open_index(settings)
    wanted: dict[str, Checkpoint] = {}
    failures: list[Failure] = []
    for name in options.names:
        try:
            wanted.update((checkpoint.reference, checkpoint) for checkpoint in expand(index, name))
        except ZoohubError as error:
            failures.append(Failure(name, error))
    results = fetch_many(
        list(wanted.values()),
        settings,
        jobs=options.jobs,
        progress=Silent() if output.quiet else Bar(),
    )
    rows: list[dict[str, object]] = []
    for reference, result in zip(wanted, results, strict=True):
        try:
            if result.path is None:
                raise with_offline_hint(result.error, index.entry(result.checkpoint.model), index)
            path = result.path
            if options.output is not None:
                name = output_name(result.checkpoint, path.name.partition(".")[2], index)
                path = copy_out(path, name, options.output)
        except ZoohubError as error:
            failures.append(Failure(reference, error))
            rows.append({"reference": reference, "path": None, "error": str(error)})
            continue
        rows.append({"reference": reference, "path": str(path), "error": None})
    if output.as_json:
        output.json(rows)
    else:
        for row in rows:
            if row["path"]:
                output.data(str(row["path"]))
    done = sum(1 for row in rows if row["path"])
    report(failures, done, output)
    return exit_code(failures, done)


def expand(index: Index, name: str) -> list[Checkpoint]:
    """The checkpoints a name or a pattern means; of a pipeline those of its steps.

    Raises:
        UnknownModel: nothing fits, or the model has no published file.
        UsageError: it is a path.
    """
    if any(wildcard in name for wildcard in "*?["):
        found = [entry.checkpoint() for entry in index.list(name)]
        checkpoints = [checkpoint for checkpoint in found if checkpoint is not None]
        if not checkpoints:
            raise UnknownModel(f"no model fits {name!r}; `zoohub list` shows their names")
        return checkpoints
    return [checkpoint_of(resolved) for resolved in files_of(index, _resolved(index, name))]


def _resolved(index: Index, name: str) -> Resolved:
    """What a reference means. Raises UsageError: it is a path, which nothing is downloaded of."""
    try:
        return index.resolve(name)
    except UnknownModel:
        if is_run(expanded(name)):
            weights = open_run(name).weights
            raise UsageError(f"{name} is a run's folder: its weights are here, {weights}") from None
        if is_path(name):
            raise UsageError(
                f"{name} is a path; models are downloaded by their names, which `zoohub list` shows"
            ) from None
        raise


def copy_out(path: Path, name: str, folder: Path) -> Path:
    """Copy a stored file to `FOLDER/NAME`, never half of it, and never a damaged one.

    Raises:
        StoreError: the folder cannot be written.
        IntegrityError: the stored file is not what its name promises any more.
    """
    target = folder / name
    if folder.exists() and not folder.is_dir():
        raise StoreError(f"{folder} is a file; --output names a folder to copy into")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        remove_leftovers(folder)
        copy_whole(path, target, sha256=path.name.partition(".")[0])
    except OSError as error:
        raise StoreError(f"cannot write {target}: {error.strerror or error}") from error
    return target
