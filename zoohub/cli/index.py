"""`zoohub index`: build, check, compare and extend indexes."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from zoohub.cli.options import path
from zoohub.cli.output import Output
from zoohub.cli.parser import Action, common_options
from zoohub.core.counting import counted
from zoohub.core.paths import expanded
from zoohub.errors import (
    AmbiguousReference,
    CheckpointError,
    DataError,
    ManifestError,
    UnknownModel,
    UsageError,
)
from zoohub.manifest.entry import Checkpoint, Entry, NetworkSpec
from zoohub.manifest.opening import open_index
from zoohub.manifest.reference import listed
from zoohub.settings import Settings, load_settings

EXAMPLES = (
    "zoohub index check index",
    "zoohub index build index -o index.jsonl.gz",
    "zoohub index diff old.jsonl.gz index",
    "zoohub index update",
    "ZOOHUB_INDEX=$HOME/zoohub-index zoohub index add ./my.ckpt --name my_resnet50 --like resnet50",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the actions of `zoohub index`."""
    actions = parser.add_subparsers(metavar="ACTION", required=True)

    def action(name: str, summary: str, run: Action) -> argparse.ArgumentParser:
        sub = actions.add_parser(
            name,
            help=summary,
            description=summary[0].upper() + summary[1:] + ".",
            parents=[common_options(argparse.SUPPRESS)],
        )
        sub.set_defaults(action=run)
        return sub

    building = action("build", "compile a folder of YAML files", _build)
    building.add_argument("folder", type=path, metavar="FOLDER", help="of YAML files")
    building.add_argument(
        "-o",
        "--output",
        type=path,
        default=Path("index.jsonl.gz"),
        metavar="FILE",
        help="the file to write: .jsonl.gz, or .sqlite for this machine (index.jsonl.gz)",
    )
    building.add_argument(
        "--expires", metavar="DATE", help="when a newer one will be there, e.g. 2027-01-31"
    )
    checking = action("check", "say what is wrong with an index, by file and line", _check)
    checking.add_argument("folder", type=path, metavar="FOLDER|FILE", help="YAML files")
    diffing = action("diff", "what two indexes say differently", _diff)
    diffing.add_argument("old", metavar="OLD", help="a folder, .yaml or .jsonl.gz file")
    diffing.add_argument("new", metavar="NEW", nargs="?", help="default: the built-in index")
    updating = action("update", "fetch the indexes of ZOOHUB_INDEX that are URLs", _update)
    updating.add_argument("urls", nargs="*", metavar="URL", help="default: those of ZOOHUB_INDEX")
    updating.add_argument(
        "--accept-changed", action="store_true", help="let a known file have another hash"
    )
    adding = action("add", "enter a file of your own into the first writable ZOOHUB_INDEX", _add)
    adding.add_argument("source", metavar="FILE|URL", help="a checkpoint, here or on a server")
    adding.add_argument("--name", required=True, metavar="NAME[@ID]", help="what to call it")
    adding.add_argument("--like", metavar="NAME", help="a model with the same network and input")
    adding.add_argument("--task", help="default: that of the model it is like")
    adding.add_argument("--format", help="default: by the file's ending")
    adding.add_argument("--dataset", help="what it was trained on")
    adding.add_argument("--licence", help="e.g. Apache-2.0")


def run(options: argparse.Namespace, output: Output) -> int:
    """Do the action."""
    return int(options.action(options, output))


def _build(options: argparse.Namespace, output: Output) -> int:
    from zoohub.manifest.build import build_index

    report = build_index(options.folder, options.output, expires=options.expires)
    output.data(str(report.output))
    output.talk(
        f"{counted(report.models, 'model')}, {counted(report.checkpoints, 'checkpoint')} from "
        f"{counted(report.files, 'file')} in {report.seconds:.1f} s"
    )
    return 0


def _check(options: argparse.Namespace, output: Output) -> int:
    from zoohub.manifest.check import check_index

    if not options.folder.exists():
        raise ManifestError(f"{options.folder} does not exist; give an index's folder or file")
    problems = check_index(options.folder, _misfit, _wrong_steps)
    if output.as_json:
        output.json({"file": p.file, "line": p.line, "message": p.message} for p in problems)
    else:
        for problem in problems:
            output.data(str(problem))
    found = counted(len(problems), "problem") if problems else "no problems"
    output.talk(f"{found} found")
    return 1 if problems else 0


def _misfit(spec: NetworkSpec) -> str | None:
    """Why a network zoohub has refuses a spec; a network it lacks refuses nothing."""
    from zoohub.models.describing import misfit
    from zoohub.networks.families import has_family

    return misfit(spec) if has_family(spec.builder) else None


def _wrong_steps(pipeline: str, task: str, steps: Iterable[str]) -> str | None:
    """Why a pipeline cannot do a task that zoohub has; one that it lacks refuses nothing."""
    from zoohub.errors import DataError
    from zoohub.tasks.chained import chain_task
    from zoohub.tasks.finding import all_tasks

    for known in all_tasks():
        if task in known.serves:
            try:
                chain_task(pipeline, known).check_steps(pipeline, steps)
            except DataError as error:
                return str(error)
    return None


def _diff(options: argparse.Namespace, output: Output) -> int:
    from zoohub.manifest.changes import diff_indexes
    from zoohub.manifest.opening import built_in, open_location

    settings = load_settings()
    old = open_location(options.old, settings)
    new = built_in(settings) if options.new is None else open_location(options.new, settings)
    difference = diff_indexes(old, new)
    rows: list[dict[str, object]] = []
    rows += [{"change": "added", "reference": reference} for reference in difference.added]
    rows += [{"change": "removed", "reference": reference} for reference in difference.removed]
    rows += [{"change": "changed", **asdict(change)} for change in difference.changed]
    if output.as_json:
        output.json(rows)
        return 0
    marks = {"added": "+", "removed": "-", "changed": "~"}
    for row in rows:
        line = f"{marks[str(row['change'])]} {row['reference']}"
        if "field" in row:
            line += f"  {row['field']}: {row['old']} → {row['new']}"
        output.data(line)
    output.talk(
        f"{len(difference.added)} added, {len(difference.removed)} removed, "
        f"{len(difference.changed)} changed"
    )
    return 0


def _update(options: argparse.Namespace, output: Output) -> int:
    from zoohub.manifest.remote import update_index

    settings = load_settings()
    urls = options.urls or [u for u in settings.indexes if u.startswith(("http://", "https://"))]
    if not urls:
        raise UsageError("ZOOHUB_INDEX names no URL to update; give one, or set it")
    rows: list[dict[str, object]] = []
    for url in urls:
        update = update_index(url, settings, accept_changed=options.accept_changed)
        state = "updated" if update.updated else "unchanged"
        rows.append({"url": url, "state": state, "models": update.models})
        for change in update.changed:
            output.talk(f"{change.reference}: hash {change.old} is now {change.new}, as accepted")
        if not output.as_json:
            output.data(f"{url}  {state}, {counted(update.models, 'model')}")
    if output.as_json:
        output.json(rows)
    return 0


def _add(options: argparse.Namespace, output: Output) -> int:
    from zoohub.manifest.adding import add_file, writable_index

    settings = load_settings()
    writable_index(settings)  # made if need be: below, all of ZOOHUB_INDEX is opened
    hidden = _hidden(options.name.partition("@")[0], settings)
    file, like = _local_file(options, settings, output), _alike(options, settings)
    facts = {
        **_said_by(file, options, like),
        "dataset": options.dataset,
        "licence": options.licence,
    }
    added = add_file(
        options.source,
        file,
        options.name,
        settings,
        like=like,
        task=options.task,
        format=options.format,
        facts={key: value for key, value in facts.items() if value},
    )
    if output.as_json:
        row = {"reference": added.reference, "file": str(added.file), "sha256": added.sha256}
        output.json([row])
    else:
        output.data(added.reference)
    output.talk(f"written to {added.file}")
    if hidden is not None:
        name = hidden.model
        ids = listed((checkpoint.reference for checkpoint in hidden.checkpoints), 3) or "none"
        output.talk(
            f"from now on {name} is yours alone: that file hides the model that comes with zoohub "
            f"and its checkpoints ({ids}). To have both, remove it, and add yours by another name: "
            f"--name my_{added.reference} --like {name}"
        )
    return 0


def _said_by(file: Path, options: argparse.Namespace, like: Entry | None) -> dict[str, object]:
    """The input and the classes that a file of weights names, as `zoohub export` writes them."""
    from zoohub.manifest.adding import format_of
    from zoohub.models.describing import WEIGHT_FORMATS
    from zoohub.models.own_files import index_facts, read_own_file

    if (options.format or format_of(options.source)) not in WEIGHT_FORMATS:
        return {}
    checkpoint = like.checkpoint() if like else None
    spec, known = (like.network_of(checkpoint), like.input_of(checkpoint)) if like else (None, None)
    try:
        return index_facts(read_own_file(file, spec), known)
    except CheckpointError:  # any file can be entered; loading it says what is wrong
        return {}


def _hidden(model: str, settings: Settings) -> Entry | None:
    """The model of the built-in index that one of this name hides, with all its checkpoints: the
    first index that has a model has it whole."""
    try:
        entry = open_index(settings).entry(model)
    except (UnknownModel, AmbiguousReference):
        return None
    return entry if entry.index == "built-in" and entry.model == model else None


def _local_file(options: argparse.Namespace, settings: Settings, output: Output) -> Path:
    """The file itself, or what a URL gives: fetched into the store, where it will be wanted."""
    from zoohub.manifest.adding import format_of
    from zoohub.transfer import Bar, Silent, fetch

    source: str = options.source
    if "://" not in source:
        path = expanded(source)
        if not path.is_file():
            raise DataError(f"{path} is not a file; give a checkpoint file or its URL")
        return path
    model, _, id = options.name.partition("@")
    checkpoint = Checkpoint(
        model=model,
        id=id or "own",
        format=options.format or format_of(source),
        sources=(source,),
        declared="none",
    )
    return fetch(checkpoint, settings, progress=Silent() if output.quiet else Bar())


def _alike(options: argparse.Namespace, settings: Settings) -> Entry | None:
    """The model that the new checkpoint's network and input are taken from."""
    index = open_index(settings)
    if options.like:
        return index.resolve(options.like).entry
    try:
        return index.entry(options.name.partition("@")[0])
    except UnknownModel:
        return None
