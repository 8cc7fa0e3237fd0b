"""The features of pictures, computed once through the engine that predicts."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import numpy as np
from mindspore import nn

from zoohub.core.notes import note
from zoohub.core.threads import machine_threads
from zoohub.errors import DataError
from zoohub.graphs.folding import copy_network, prepare_copy
from zoohub.graphs.inputs import GraphInput
from zoohub.graphs.metadata import Metadata
from zoohub.graphs.writing import onnx_model
from zoohub.predicting.compiled import check_form
from zoohub.predicting.engines import choose_engine, this_machine
from zoohub.predicting.predicting import MOST_THREADS
from zoohub.predicting.reading import Ready, in_batches, read_all, rows_of
from zoohub.running import Array, CellRunner, OnnxRunner, Runner
from zoohub.settings import Settings
from zoohub.tasks.contract import Row
from zoohub.training.frozen.shards import ROWS, Shard, read_shard, shard_key, write_shard

FEATURES = "features"
_BATCH = 4  # of each thread
_CHECKED_ROWS = 2

# Of a row's number: its arrays, with its `Label` as geometry. Raises DataError: unreadable.
ReadRow = Callable[[int], tuple[Row, ...]]
# Rows as they were read, and the features of those that could be; None: of none.
Batch: TypeAlias = "tuple[Sequence[Ready], Array | None]"


@dataclass(frozen=True)
class Label:
    """What a row brings besides its picture: its class, and what could not be read for it."""

    label: int
    failed: Mapping[str, str] = field(default_factory=dict)


class BodyRunner:
    """Runs a body in the engine that the settings choose, compiled with the first batch.

    `threads` batches may be run at once where it is `parallel`.
    """

    def __init__(self, body: nn.Cell, settings: Settings) -> None:
        self._body = body
        self.threads = min(MOST_THREADS, machine_threads())
        machine = this_machine()
        self._choice = choose_engine(settings.engine, settings.device, None, machine)
        self._runner: Runner | None = None
        self.engine = self._choice.engine

    @property
    def parallel(self) -> bool:
        """Whether it is known to run in onnxruntime, where each batch has its own share of the
        processors: MindSpore runs one at a time."""
        return isinstance(self._runner, OnnxRunner)

    def run(self, image: Array) -> Array:
        """(batch, C, H, W) -> features (batch, …).

        Raises:
            ExportError: the body cannot be compiled, and onnxruntime was asked for.
        """
        if self._runner is None:
            self._runner = self._open(image)
        (features,) = self._runner.run({"image": image}).values()
        return features

    def _open(self, image: Array) -> Runner:
        if self.engine == "onnxruntime":
            try:
                share = math.ceil(machine_threads() / self.threads)
                return _compiled(self._body, image[:_CHECKED_ROWS], share)
            except Exception as error:  # MindSpore's compiler and onnx raise whatever they meet
                if self._choice.required:
                    raise
                reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
                note(f"features come from MindSpore, as they could not be compiled: {reason}")
        self.engine = "mindspore"
        return CellRunner(self._body)


def _compiled(body: nn.Cell, few: Array, threads: int) -> OnnxRunner:
    twin = prepare_copy(copy_network(body), (few[:1],), fold=True).net
    taken = GraphInput("image", few[:1].shape, {0: "batch"})
    model = onnx_model(twin, [taken], (FEATURES,), Metadata())
    runner = OnnxRunner(model.SerializeToString(), inputs=("image",), threads=threads)
    whole = CellRunner(body, "pynative", outputs=(FEATURES,))
    check_form(runner, whole, {"image": few}, lambda name, output: (output,), by_row=True)
    return runner


class Features:
    """The features of rows, by number, computed where they are not kept from before.

    `kept` is the folder they are kept in; None: in memory. `told` hears, once, how many seconds
    the rest will take.
    """

    def __init__(
        self, body: BodyRunner, kept: Path | None, told: Callable[[float], object]
    ) -> None:
        self._body, self._kept, self._told = body, kept, told
        self._came: list[tuple[float, int]] = []  # when a batch came, and its rows

    def of(self, name: str, count: int, read: ReadRow, facts: Mapping[str, object]) -> Part:
        """The features of `count` rows that `read` gives; `facts` are all they depend on.

        Raises:
            NoSpaceError, StoreError: they cannot be kept.
        """
        shards = []
        for number, start in enumerate(range(0, count, ROWS)):
            rows = min(ROWS, count - start)
            key = shard_key({**facts, "start": start, "rows": rows})
            shards.append(self._shard(f"{name}-{number:05}", key, range(start, start + rows), read))
        return Part(shards)

    def _shard(self, name: str, key: str, numbers: range, read: ReadRow) -> Shard:
        if self._kept is None:
            return self._computed(numbers, read)
        known = read_shard(self._kept, name, key)
        if known is None:
            if (self._kept / f"{name}.json").exists():
                note(f"{self._kept / name}: damaged, or of other pictures; computed again")
            write_shard(self._kept, name, key, self._computed(numbers, read))
            known = read_shard(self._kept, name, key)
        if known is None:
            raise DataError(f"{self._kept / name}: what was written there cannot be read again")
        return known

    def _computed(self, numbers: range, read: ReadRow) -> Shard:
        features: Array | None = None
        labels = [0] * len(numbers)
        errors: dict[int, str] = {}
        failed: dict[str, str] = {}
        for group, found in self._batches(numbers, read):
            errors.update({one.place: one.error for one in group if one.error is not None})
            if found is None:
                continue
            self._clock(len(found))
            if features is None:
                features = np.zeros((len(numbers), *found.shape[1:]), np.float32)
            good = [one for one in group if one.rows]
            for one, value in zip(good, found, strict=True):
                features[one.place] = value
                known = one.rows[0].geometry
                if isinstance(known, Label):
                    labels[one.place] = known.label
                    failed.update(known.failed)
        if features is None:
            features = np.zeros((len(numbers), 0), np.float32)
        return Shard(features, labels, errors, failed)

    def _batches(self, numbers: range, read: ReadRow) -> Iterator[Batch]:
        """The rows in their order, and the features of those that can be read."""

        def one(place: int) -> tuple[Row, ...]:
            return read(numbers[place])

        threads, done, count = self._body.threads, 0, len(numbers)
        if not self._body.parallel:
            for group in in_batches(count, one, _BATCH, threads):
                yield self._run(group)
                done += len(group)
                if self._body.parallel:  # the first batch has opened it
                    break
        # Each thread reads a batch and then runs it: a computation shared by all processors would
        # wait, on all of them, for the one that reads meanwhile.
        rest = [range(count)[start : start + _BATCH] for start in range(done, count, _BATCH)]
        with ThreadPoolExecutor(threads, "zoohub-features") as pool:
            try:
                yield from pool.map(lambda places: self._run(read_all(places, one)), rest)
            finally:
                pool.shutdown(wait=False, cancel_futures=True)

    def _run(self, group: Sequence[Ready]) -> Batch:
        rows = rows_of(group)
        if not rows:
            return group, None
        return group, self._body.run(np.stack([row.inputs["image"] for row in rows]))

    def _clock(self, rows: int) -> None:
        """Tell the speed once it is known: the first batch compiles, and as many as there are
        threads come at once."""
        wanted = 1 + 2 * self._body.threads
        if len(self._came) == wanted:
            return
        self._came.append((time.perf_counter(), rows))
        if len(self._came) == wanted:
            seconds = self._came[-1][0] - self._came[0][0]
            self._told(sum(count for _, count in self._came[1:]) / max(1e-9, seconds))


@dataclass(frozen=True)
class Part:
    """The features of a part of the data."""

    shards: Sequence[Shard]

    def feature(self, number: int) -> Array:
        """That of a row. Raises DataError: it could not be read."""
        shard, row = self.shards[number // ROWS], number % ROWS
        if row in shard.errors:
            raise DataError(shard.errors[row])
        return shard.features[row]

    def label(self, number: int) -> int:
        """The class of what a row is."""
        return self.shards[number // ROWS].labels[number % ROWS]

    @property
    def failed(self) -> dict[str, str]:
        """The reasons by name of what could not be read."""
        return {name: reason for shard in self.shards for name, reason in shard.failed.items()}

    def first_error(self) -> str | None:
        """Why a row has no feature, where one has none."""
        return next((why for shard in self.shards for why in shard.errors.values()), None)


def duration(seconds: float) -> str:
    """A time as one says it: `40 s`, `3 min`."""
    return f"{math.ceil(seconds)} s" if seconds < 120 else f"{seconds / 60:.0f} min"
