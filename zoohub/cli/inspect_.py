"""`zoohub inspect`: the parameters in a checkpoint, without MindSpore."""

from __future__ import annotations

import argparse
import math
from pathlib import Path

from zoohub.checkpoint import open_checkpoint
from zoohub.cli.output import Output, human_size
from zoohub.core.counting import counted, plural
from zoohub.core.paths import expanded
from zoohub.errors import DataError, UnknownModel
from zoohub.manifest.reference import is_path
from zoohub.models.fetching import fetch_one
from zoohub.models.runs import is_run, open_run
from zoohub.settings import load_settings

EXAMPLES = ("zoohub inspect lenet5@digits", "zoohub inspect ./my.ckpt --json")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `zoohub inspect`."""
    parser.add_argument(
        "name", metavar="NAME|RUN|FILE", help="a reference, a run's folder, or a checkpoint file"
    )


def run(options: argparse.Namespace, output: Output) -> int:
    """Print every parameter's name, shape, element type and size, in the file's order."""
    path = _path(options.name, output)
    table = open_checkpoint(path).table()
    if output.as_json:
        output.json(
            {"name": name, "shape": list(t.shape), "dtype": t.dtype, "size": t.nbytes}
            for name, t in table.items()
        )
        return 0
    rows = [
        (name, "×".join(map(str, t.shape)) or "scalar", t.dtype, human_size(t.nbytes))
        for name, t in table.items()
    ]
    output.table(("NAME", "SHAPE", "DTYPE", "SIZE"), rows)
    values = sum(math.prod(t.shape) for t in table.values())
    total = human_size(sum(t.nbytes for t in table.values()))
    output.talk(
        f"{counted(len(table), 'parameter')}, {values:,} {plural(values, 'value')}, {total} in "
        f"{path}"
    )
    return 0


def _path(name: str, output: Output) -> Path:
    path = expanded(name)
    if path.is_file():
        return path
    if not is_path(name):
        try:
            return fetch_one(name, load_settings(), show_progress=not output.quiet)
        except UnknownModel:
            if not is_run(path):
                raise
    if is_run(path):
        return open_run(path).weights
    raise DataError(f"{path} is neither a file nor a run's folder; give one, or a model's name")
