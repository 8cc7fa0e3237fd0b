"""`zoohub info`: one model's card."""

from __future__ import annotations

import argparse
import shlex

from zoohub.cli.contracts import boxes_line, input_line, outlines_line
from zoohub.cli.hints import as_name
from zoohub.cli.next_commands import chain_commands, commands_of
from zoohub.cli.output import Output, human_size
from zoohub.core.paths import local_path
from zoohub.errors import UnknownModel, UsageError
from zoohub.manifest.entry import Checkpoint, Entry
from zoohub.manifest.index import Index, Resolved
from zoohub.manifest.opening import open_index
from zoohub.manifest.reference import is_path
from zoohub.manifest.steps import resolved_steps
from zoohub.models.describing import is_runnable, model_is_runnable, model_json
from zoohub.models.memory import memory_line
from zoohub.models.provenance import recorded_hash
from zoohub.models.runs import SavedRun, is_run, open_run
from zoohub.settings import load_settings
from zoohub.store import Store

_EXPORTED = (".onnx", ".mindir", ".json")

EXAMPLES = (
    "zoohub info yolov5",
    "zoohub info resnet50@r1.10-imagenet2012",
    "zoohub info lenet5 --json",
    "zoohub info ./runs/flowers",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `zoohub info`."""
    parser.add_argument(
        "names", nargs="+", metavar="NAME", help="a model, checkpoint or alias, or a run's folder"
    )


def run(options: argparse.Namespace, output: Output) -> int:
    """Print a card for each name."""
    settings = load_settings()
    store = Store(settings.home)
    index = open_index(settings)
    found = [_meant(name, index) for name in options.names]
    if output.as_json:
        output.json(model_json(one.entry, store, index) for one in found)
        return 0
    for number, (name, one) in enumerate(zip(options.names, found, strict=True)):
        if number:
            output.data("")
        if isinstance(one, SavedRun):
            card = model_card(one.entry, one.checkpoint, store, index, (name, one))
        else:
            named = one.checkpoint if one.explicit else None
            card = model_card(one.entry, named, store, index)
        for line in card:
            output.data(line)
    return 0


def _meant(name: str, index: Index) -> Resolved | SavedRun:
    """What a name means; a run's folder is a name as well, and without a path's look (`flowers`)
    where no reference is called so.

    Raises:
        UsageError: it is a file. As `resolve` and `open_run`.
    """
    if not is_path(name):
        try:
            return index.resolve(name)
        except UnknownModel:
            if not is_run(name):
                raise
    file = local_path(name)
    if file.is_file() and file.suffix.lower() in _EXPORTED:
        raise UsageError(
            f"{name} is what `zoohub export` writes: `zoohub predict {shlex.quote(name)} INPUT` "
            "takes it; a card is of a model, a checkpoint or a run"
        )
    if file.is_file():
        raise UsageError(
            f"{name} is a file: `zoohub inspect {shlex.quote(name)}` shows what a checkpoint holds"
        )
    return open_run(name)


def model_card(
    entry: Entry,
    named: Checkpoint | None,
    store: Store,
    index: Index,
    run: tuple[str, SavedRun] | None = None,
) -> list[str]:
    """The lines of a model's card; the named checkpoint (else the default) in full. `run` is the
    run that it is of, and its folder as the user names it."""
    lines = [f"{entry.model}  ({entry.task}, family {entry.family})"]
    if entry.description:
        lines.append(f"  {entry.description}")
    facts = {
        "parameters": f"{entry.parameter_count:,}" if entry.parameter_count else None,
        "multiply-adds": f"{entry.flops:,.0f}" if entry.flops else None,
        "paper": entry.paper,
        "aliases": ", ".join(entry.aliases) or None,
        "runnable": "yes"
        if model_is_runnable(entry, index)
        else "no: zoohub has no network for it yet",
        "run" if run else "index": None if entry.index == "built-in" else entry.index,
    }
    lines += [f"  {name:14}{value}" for name, value in facts.items() if value]
    shown = named or entry.checkpoint()
    if shown is not None:
        memory = memory_line(entry, shown)
        lines += ["", *_checkpoint_card(shown, store, memory, run[1] if run else None)]
    others = [c for c in entry.checkpoints if shown is None or c.id != shown.id]
    if others:
        lines += ["", f"other checkpoints of {entry.model}:"]
        lines += [f"  {_one_line(checkpoint)}" for checkpoint in others]
    if entry.steps:
        return [*lines, *_step_lines(entry, store, index), "", *chain_commands(entry)]
    return [*lines, "", *commands_of(entry, shown, as_name(run[0]) if run else None)]


def _step_lines(entry: Entry, store: Store, index: Index) -> list[str]:
    """A pipeline's steps: the checkpoint of each, its size, whether it is here."""
    lines = ["", "steps:"]
    for step, resolved in resolved_steps(index, entry).items():
        checkpoint = resolved.checkpoint
        if checkpoint is None:
            lines.append(f"  {step:14}{resolved.entry.model}: no checkpoint is published for it")
            continue
        size = human_size(checkpoint.size) if checkpoint.size else "size unknown"
        here = "in the store" if store.has(checkpoint) else "not in the store"
        lines.append(f"  {step:14}{checkpoint.reference}  ({size}, {here})")
    return lines


def _checkpoint_card(
    checkpoint: Checkpoint, store: Store, memory: str | None, run: SavedRun | None
) -> list[str]:
    metrics = ", ".join(f"{name} {value:g}" for name, value in checkpoint.metrics.items())
    contract = checkpoint.input
    if run is None:
        where, path = "in the store", store.find(checkpoint)
        hash_line = _hash_line(checkpoint, recorded_hash(store, checkpoint), store)
    else:
        where, path = "weights", run.weights
        hash_line = f"sha256 {checkpoint.sha256}, as the run wrote it"
    facts = {
        "file": f"{checkpoint.format}, {human_size(checkpoint.size)}"
        if checkpoint.size
        else checkpoint.format,
        "dataset": checkpoint.dataset,
        "metrics": metrics or None,
        "hash": hash_line,
        "licence": checkpoint.licence or "not stated: look it up before you redistribute",
        "dataset terms": checkpoint.dataset_terms,
        "trained with": _trained_with(checkpoint),
        "verified on": ", ".join(f"MindSpore {v}" for v in checkpoint.verified) or None,
        "network": _network_line(checkpoint),
        "input": input_line(contract),
        "boxes": None if contract is None else boxes_line(contract.boxes),
        "outlines": None if contract is None else outlines_line(contract.regions),
        "memory": memory,
        where: str(path) if path else "no",
        "note": checkpoint.note,
    }
    lines = [f"{checkpoint.reference}"]
    lines += [f"  {name:14}{value}" for name, value in facts.items() if value]
    lines += [f"  {'source':14}{source}" for source in checkpoint.sources]
    return lines


def _hash_line(checkpoint: Checkpoint, recorded: str | None, store: Store) -> str:
    if checkpoint.declared == "sha256":
        return f"sha256 {checkpoint.sha256}, declared by the publisher"
    if checkpoint.declared == "prefix":
        line = f"sha256 begins with {checkpoint.sha256_prefix} (all the publisher gives)"
    elif checkpoint.declared == "doubtful":
        stated = checkpoint.doubtful_sha256 or checkpoint.sha256_prefix
        line = f"doubtful: the publisher's {stated} may belong to another file"
    else:
        line = "none published"
    if recorded:
        return f"{line}; recorded at the first download: {recorded}"
    mirrored = store.mirrored(checkpoint)
    if mirrored is not None:
        return f"{line}; here is {mirrored.sha256}, on the word of the mirror {mirrored.source}"
    return f"{line}; trusted: TLS to the source, then the hash of the first download"


def _trained_with(checkpoint: Checkpoint) -> str | None:
    parts = []
    if checkpoint.mindspore:
        parts.append(f"MindSpore {checkpoint.mindspore}")
    if checkpoint.hardware:
        parts.append(checkpoint.hardware)
    return ", ".join(parts) or None


def _network_line(checkpoint: Checkpoint) -> str | None:
    spec = checkpoint.network
    if spec is None:
        return None
    arguments = ", ".join(f"{name}={value!r}" for name, value in spec.arguments.items())
    layout = f"; parameter names: {spec.parameters}" if spec.parameters else ""
    return f"{spec.builder}({arguments}){layout}"


def _one_line(checkpoint: Checkpoint) -> str:
    metrics = ", ".join(f"{name} {value:g}" for name, value in checkpoint.metrics.items())
    parts = [checkpoint.format, checkpoint.dataset, metrics, checkpoint.hardware]
    runs = "runs" if is_runnable(checkpoint) else ""
    return f"@{checkpoint.id:28}  " + ", ".join(p for p in [*parts, runs] if p)
