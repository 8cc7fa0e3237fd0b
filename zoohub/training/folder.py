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
from typing import Any
from zipfile import ZipFile

import numpy as np
from numpy.typing import NDArray

from zoohub.checkpoint import write_ckpt, write_safetensors
from zoohub.checkpoint.atomic import replacing
from zoohub.errors import CheckpointCorrupt, DataError, NoSpaceError, StoreError
from zoohub.training.data.samples import Samples, Splits
from zoohub.training.loop import Progress
from zoohub.training.recipe import Recipe, read_recipe, recipe_text
from zoohub.training.saved import RUN_FILE

RECIPE = "recipe.yaml"
STATE = "state.npz"
_PROGRESS = "progress.json"


class RunFolder:
    """The files of one run.

    `recipe.yaml`, `split.csv`, `metrics.jsonl`, `weights.ckpt` and `.safetensors` (the run's
    result), `last.ckpt`, `curve.svg`, `confusion.svg`, `report.html`, `run.json` (written last:
    its presence means finished), and `state/state.npz` while the run is under way.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.state_file = path / "state" / STATE

    # Where a run stands; detectors' has other figures.
    progress_type: type = Progress

    def start(self, recipe: Recipe, splits: Splits) -> None:
        """Make the folder for a new run and record its recipe and split. Raises as `claim`."""
        self.claim(recipe_text(recipe), split_table(splits))

    def claim(self, recipe: str, split: str) -> None:
        """Make the folder for a new run and record the texts of its recipe and split.

        Raises:
            DataError: there is a run in it already.
            StoreError: it cannot be written.
        """
        self.check_unused()
        with explained(self.path):
            self.state_file.parent.mkdir(parents=True, exist_ok=True)
        self.write_text(RECIPE, recipe)
        self.write_text("split.csv", split)

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
        """The recipe of the run in this folder. Raises RecipeError as `read_recipe`."""
        return read_recipe(self.path / RECIPE)

    def write_text(self, name: str, text: str) -> None:
        """Replace the text file `name`."""
        with explained(self.path), replacing(self.path / name) as file:
            file.write(text.encode("utf-8"))

    def write_weights(self, stem: str, arrays: Mapping[str, NDArray[Any]]) -> Path:
        """Replace `stem.ckpt`; returns its path."""
        with explained(self.path):
            return write_ckpt(self.path / f"{stem}.ckpt", dict(arrays))

    def write_safetensors(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Replace `weights.safetensors`."""
        with explained(self.path):
            write_safetensors(self.path / "weights.safetensors", dict(arrays))

    def write_history(self, progress: Any) -> None:
        """Replace `metrics.jsonl`: a line an epoch."""
        lines = [json.dumps(line, allow_nan=True) for line in progress.history]
        self.write_text("metrics.jsonl", "".join(line + "\n" for line in lines))

    def save_state(self, arrays: Mapping[str, NDArray[Any]], progress: Any) -> None:
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

    def load_state(
        self, content: bytes | None = None
    ) -> tuple[dict[str, NDArray[Any]], Progress] | None:
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
                names = json.loads(stored["names"].tobytes())
                progress = self.progress_type(**json.loads(stored["progress"].tobytes()))
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


def split_table(splits: Splits) -> str:
    """CSV of path, label and split of every picture; itself data to train on."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["path", "label", "split"])
    parts: list[tuple[str, Samples]] = [
        ("train", splits.train),
        ("val", splits.validation),
        ("test", splits.test),
    ]
    for name, samples in parts:
        for image, title, label in zip(samples.images, samples.names, samples.labels, strict=True):
            place = str(image) if isinstance(image, Path) else title
            writer.writerow([place, splits.classes[int(label)], name])
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
        raise StoreError(f"{path}: cannot be written: {error}") from None
