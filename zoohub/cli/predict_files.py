"""`zoohub predict` over many inputs: files of results, and how far it is."""

from __future__ import annotations

import argparse
import contextlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from zoohub.cli.output import Output
from zoohub.core.counting import counted
from zoohub.core.paths import local_path
from zoohub.errors import UsageError
from zoohub.predicting.chains import step_names
from zoohub.predicting.makers import Maker, check_maker, find_maker, write_maker
from zoohub.predicting.predicting import Predictions
from zoohub.predicting.result_file import ResultFile
from zoohub.predicting.result_files import check_free, open_result_file
from zoohub.settings import Settings
from zoohub.tasks.results import AnyPrediction

if TYPE_CHECKING:
    from tqdm import tqdm

_ROWS = {
    "jsonl": "a line an input",
    "csv": "a row a result",
    "parquet": "a row a result (pip install pyarrow)",
}
FORMATS = tuple(_ROWS)


def add_file_options(group: argparse._ArgumentGroup) -> None:
    """`--jsonl`, `--csv`, `--parquet` and `--resume`."""
    files = group.add_mutually_exclusive_group()
    for name, row in _ROWS.items():
        files.add_argument(f"--{name}", metavar="FILE", help=f"write them as they come, {row}")
    group.add_argument(
        "--resume", action="store_true", help="go on with that file, where a run was stopped"
    )


@dataclass(frozen=True, slots=True)
class AskedFile:
    """The file of results that is asked for, of which nothing is on the disk yet but what a run
    before left there."""

    path: Path
    format: str
    maker: Maker
    resume: bool

    def open(self) -> ResultFile:
        """The file itself, and beside it who makes it. Raises DataError: as `open_result_file`."""
        file = open_result_file(self.path, self.format, resume=self.resume)
        write_maker(self.path, self.maker)
        return file


def asked_file(
    options: argparse.Namespace,
    given: Mapping[str, object],
    settings: Settings,
    steps: Mapping[str, object],
) -> AskedFile | None:
    """The file of results that is asked for; None: none. `given` are the task's options, `steps`
    what is put in the place of a pipeline's.

    Raises:
        UsageError: there is nothing to resume. DataError: there is a file already, or one that
            another model or other options made.
    """
    for name in FORMATS:
        path: str | None = getattr(options, name)
        if path is not None:
            own = {key: getattr(options, key) for key in ("parameters", "num_classes", "task")}
            asked = {**given, **own, "ema": options.ema or None}
            nets = step_names(options.name, settings, steps)
            maker = find_maker(options.name, options.checkpoint, asked, settings, nets)
            file = local_path(path)
            if options.resume:
                check_maker(file, maker)
            check_free(file, resume=options.resume)
            return AskedFile(file, name, maker, options.resume)
    if options.resume:
        raise UsageError(
            "--resume goes on with a file of results: give --jsonl, --csv or --parquet"
        )
    return None


def followed(
    predictions: Predictions, file: ResultFile | None, output: Output
) -> Iterator[AnyPrediction]:
    """The predictions, written into the file on their way, with a bar on a terminal and at the end
    how many there were a second."""
    began, count, engine = time.perf_counter(), 0, None
    bar = _bar(predictions.count) if output.progress and predictions.count > 1 else None
    with file or contextlib.nullcontext(), bar or contextlib.nullcontext():
        if file is not None and file.done:
            output.talk(
                f"{counted(file.done.total(), 'input is', 'inputs are')} in "
                f"{Path(file.path).name} already"
            )
        for prediction in predictions:
            if file is not None:
                file.write(prediction)
            count += 1
            engine = prediction.engine or engine
            if bar is not None:
                bar.update()
            yield prediction
    seconds = time.perf_counter() - began
    tell = output.detail if file is None else output.talk
    if count:
        by = f" by {engine}" if engine else ""
        tell(f"{counted(count, 'input')} in {seconds:.1f} s{by}, {count / seconds:.1f} a second")


def _bar(count: int) -> tqdm[NoReturn]:
    from tqdm import tqdm  # takes as long to import as a small network to run

    return tqdm(total=count, unit=" inputs", leave=False)
