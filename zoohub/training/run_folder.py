"""A run's folder: every file written whole or not at all, so that a kill or a full disk at any
moment leaves the last good one."""

from __future__ import annotations

import csv
import errno
import io
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from zipfile import ZipFile

import numpy as np

from zoohub.checkpoint import write_ckpt, write_safetensors
from zoohub.core.atomic import replacing
from zoohub.core.json_reader import parse_own
from zoohub.errors import CheckpointCorrupt, DataError, NoSpaceError, StoreError
from zoohub.models.runs import RUN_FILE
from zoohub.running import Array
from zoohub.tasks.contract import AnyTask
from zoohub.tasks.finding import read_recipe
from zoohub.tasks.recipe import Recipe, recipe_text
from zoohub.tasks.samples import AnySplits
from zoohub.training.reports import Line, Progress, read_progress
from zoohub.training.steps.trainer import Arrays

RECIPE = "recipe.yaml"
STATE = "state.npz"


class RunFolder:
    """The files of one run.

    `recipe.yaml`, `split.csv`, `metrics.jsonl`, `weights.ckpt` and `.safetensors` (the run's
    result), `last.ckpt` (with what training needs to go on), `curve.svg`, the task's own,
    `report.html`, `run.json` (written last: its presence means finished), and `state/state.npz`
    while the run is under way.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.state_file = path / "state" / STATE

    def start(self, task: AnyTask, recipe: Recipe, splits: AnySplits) -> None:
        """Make the folder for a new run and record its recipe and split.

        Raises:
            DataError: there is a run in it already.
            StoreError: it cannot be written.
        """
        self.check_unused()
        self.make_state_folder()
        self.write_text(RECIPE, recipe_text(recipe))
        self.write_text("split.csv", split_table(task, splits))

    @property
    def used(self) -> bool:
        """Whether there is a run, finished or not."""
        return (self.path / RUN_FILE).exists() or self.state_file.exists()

    def check_unused(self) -> None:
        """See that a new run may begin here. Raises DataError: there is one already."""
        if self.used:
            raise DataError(
                f"{self.path}: there is a run in this folder already; resume it (--resume), or "
                "choose another folder (--output)"
            )

    def recipe(self) -> Recipe:
        """The recipe of the run in this folder. Raises RecipeError: it cannot be read."""
        return read_recipe(self.path / RECIPE)

    def write_text(self, name: str, text: str) -> None:
        """Replace the text file `name`."""
        with explained(self.path), replacing(self.path / name) as file:
            file.write(text.encode("utf-8"))

    def write_weights(self, stem: str, arrays: Mapping[str, Array]) -> Path:
        """Replace `stem.ckpt`; returns its path."""
        with explained(self.path):
            return write_ckpt(self.path / f"{stem}.ckpt", dict(arrays))

    def write_safetensors(self, arrays: Mapping[str, Array]) -> None:
        """Replace `weights.safetensors`."""
        with explained(self.path):
            write_safetensors(self.path / "weights.safetensors", dict(arrays))

    def write_history(self, progress: Progress) -> None:
        """Replace `metrics.jsonl`: a line an epoch."""
        lines = [json.dumps(line, allow_nan=True) for line in progress.history]
        self.write_text("metrics.jsonl", "".join(line + "\n" for line in lines))

    def history(self) -> list[Line]:
        """The lines of `metrics.jsonl`, one an epoch.

        Raises:
            CheckpointCorrupt: the file is missing or damaged.
        """
        file = self.path / "metrics.jsonl"
        try:
            return [parse_own(line) for line in file.read_text(encoding="utf-8").splitlines()]
        except (OSError, ValueError) as error:
            raise CheckpointCorrupt(f"{file}: the run's figures cannot be read: {error}") from None

    def make_state_folder(self) -> None:
        """Make where the state is saved, and the run's folder with it."""
        with explained(self.path):
            self.state_file.parent.mkdir(parents=True, exist_ok=True)

    def save_state(self, arrays: Mapping[str, Array], progress: Progress) -> None:
        """Replace the state that a resumed run starts from."""
        text = np.frombuffer(json.dumps(asdict(progress)).encode(), np.uint8)
        # Parameter names hold dots and slashes, which a zip's members need not survive.
        names = np.frombuffer(json.dumps(list(arrays)).encode(), np.uint8)
        members = {f"a{i}": array for i, array in enumerate(arrays.values())}
        members |= {"progress": text, "names": names}
        # np.savez leaves its zip open on an error: Python then complains of it on its own.
        with explained(self.path), replacing(self.state_file) as file, ZipFile(file, "w") as npz:
            for name, array in members.items():
                with npz.open(f"{name}.npy", "w", force_zip64=True) as member:
                    np.lib.format.write_array(member, array)  # type: ignore[no-untyped-call]

    def state_bytes(self) -> bytes:
        """The file of the saved state; empty where the run had not come so far."""
        return self.state_file.read_bytes() if self.state_file.exists() else b""

    def load_state(self, content: bytes | None = None) -> tuple[Arrays, Progress] | None:
        """The saved state; None where the run had not come so far.

        `content` is that of `state_bytes`, where another worker has read it.

        Raises:
            CheckpointCorrupt: the file is damaged.
        """
        content = self.state_bytes() if content is None else content
        if not content:
            return None
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as stored:
                names = parse_own(stored["names"].tobytes())
                progress = read_progress(parse_own(stored["progress"].tobytes()))
                return {name: stored[f"a{i}"] for i, name in enumerate(names)}, progress
        except Exception as error:  # zipfile, zlib, numpy and json each raise their own
            raise CheckpointCorrupt(
                f"{self.state_file}: the saved state is damaged ({error}); start again in another "
                "folder"
            ) from None

    def remove_state(self) -> None:
        """Remove what only an unfinished run needs."""
        shutil.rmtree(self.state_file.parent, ignore_errors=True)
        for left in self.path.glob(".*.tmp"):  # by a process killed while it was writing
            left.unlink(missing_ok=True)


def split_table(task: AnyTask, splits: AnySplits) -> str:
    """CSV of every sample's path, what the task tells of it, and its part."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["path", task.split_title, "split"])
    parts = (("train", splits.train), ("val", splits.validation), ("test", splits.test))
    for part, samples in parts:
        columns = zip(samples.inputs, samples.targets, samples.names, strict=True)
        for value, target, name in columns:
            place = str(value) if isinstance(value, Path) else name
            writer.writerow([place, task.split_value(target, splits.classes), part])
    return out.getvalue()


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn the system's errors into ours.

    Raises:
        NoSpaceError: the disk is full.
        StoreError: the folder cannot be written for another reason.
    """
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NoSpaceError(
                f"{path}: the disk is full ({error}). What was saved before is whole; free some "
                "space, then go on with --resume"
            ) from None
        raise StoreError(f"{path}: cannot be written: {error.strerror or error}") from None
