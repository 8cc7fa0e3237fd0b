"""`zoohub lock`: write down which bytes names mean."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

from zoohub.cli.options import path
from zoohub.cli.output import Output, human_size
from zoohub.core.hashing import hash_file
from zoohub.manifest.index import Index, Locked, LockedSteps, Resolved
from zoohub.manifest.lock import write_lock
from zoohub.manifest.opening import open_index
from zoohub.manifest.steps import resolved_steps
from zoohub.models.fetching import checkpoint_of, fetch_resolved
from zoohub.settings import Settings, load_settings

EXAMPLES = (
    "zoohub lock yolov5 resnet50 -o zoohub.lock",
    "ZOOHUB_LOCK=zoohub.lock zoohub download yolov5",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `zoohub lock`."""
    parser.add_argument("names", nargs="+", metavar="NAME", help="models or checkpoints")
    parser.add_argument(
        "-o",
        "--output",
        type=path,
        default=Path("zoohub.lock"),
        metavar="FILE",
        help="the file to write (zoohub.lock)",
    )


def run(options: argparse.Namespace, output: Output) -> int:
    """Resolve each name, learn the full hash of its file, and write the lock.

    A file whose publisher gives no full hash and no size is downloaded to learn them.
    """
    settings = load_settings()
    index = open_index(settings)
    locked: dict[str, Locked | LockedSteps] = {}
    for name in options.names:
        locked.update(_locked(name, index, settings, show_progress=not output.quiet))
    write_lock(options.output, locked)
    if output.as_json:
        output.json({"reference": name, **asdict(item)} for name, item in locked.items())
    else:
        for name, item in locked.items():
            output.talk(f"{name}  {_told(item)}")
        output.data(str(options.output))
    return 0


def _locked(
    name: str, index: Index, settings: Settings, *, show_progress: bool
) -> dict[str, Locked | LockedSteps]:
    """What the lock says of a name: its file; of a pipeline its steps, and the file of each."""
    resolved = index.resolve(name)
    steps = resolved_steps(index, resolved.entry)
    if not steps:
        return {name: _file(resolved, settings, show_progress=show_progress)}
    references = {step: checkpoint_of(found).reference for step, found in steps.items()}
    files = {
        references[step]: _file(found, settings, show_progress=show_progress)
        for step, found in steps.items()
    }
    return {name: LockedSteps(references), **files}


def _file(resolved: Resolved, settings: Settings, *, show_progress: bool) -> Locked:
    checkpoint = checkpoint_of(resolved)
    sha256, size = checkpoint.sha256, checkpoint.size
    if sha256 is None:
        found = hash_file(fetch_resolved(resolved, settings, show_progress=show_progress))
        sha256, size = found.sha256, found.size
    return Locked(checkpoint.sources[0], sha256, size)


def _told(item: Locked | LockedSteps) -> str:
    if isinstance(item, LockedSteps):
        return ", ".join(f"{step}: {reference}" for step, reference in item.steps.items())
    return f"{item.sha256}  {human_size(item.size)}"
