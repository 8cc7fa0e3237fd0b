"""`zoohub lock`: write down which bytes names mean."""

from __future__ import annotations

import argparse
from pathlib import Path

from zoohub.cli.options import path
from zoohub.cli.output import Output, human_size
from zoohub.core.hashing import hash_file
from zoohub.manifest.index import Locked
from zoohub.manifest.lock import write_lock
from zoohub.manifest.opening import open_index
from zoohub.models.fetching import checkpoint_of, fetch_resolved
from zoohub.settings import load_settings

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
    locked: dict[str, Locked] = {}
    for name in options.names:
        resolved = index.resolve(name)
        checkpoint = checkpoint_of(resolved)
        sha256, size = checkpoint.sha256, checkpoint.size
        if sha256 is None:
            path = fetch_resolved(resolved, settings, show_progress=not output.quiet)
            found = hash_file(path)
            sha256, size = found.sha256, found.size
        locked[name] = Locked(checkpoint.sources[0], sha256, size)
    write_lock(options.output, locked)
    if output.as_json:
        output.json(
            {"reference": name, "url": item.url, "sha256": item.sha256, "size": item.size}
            for name, item in locked.items()
        )
    else:
        for name, item in locked.items():
            output.talk(f"{name}  {item.sha256}  {human_size(item.size)}")
        output.data(str(options.output))
    return 0
