"""The features of pictures, computed once through the engine that predicts."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

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
from zoohub.predicting.reading import Ready, in_batches, rows_of
from zoohub.running import Array, CellRunner, OnnxRunner, Runner
from zoohub.settings import Settings
from zoohub.tasks.contract import Row
from zoohub.training.frozen.shards import ROWS, Shard, read_shard, shard_key, write_shard

FEATURES = "features"
_BATCH = 8
_CHECKED_ROWS = 4

# Of a row's number: its arrays, with its `Label` as geometry. Raises DataError: unreadable.
ReadRow = Callable[[int], tuple[Row, ...]]


@dataclass(frozen=True)
class Label:
    """What a row brings besides its picture: its class, and what could not be read for it."""

    label: int
    failed: Mapping[str, str] = field(default_factory=dict)


class BodyRunner:
    """Runs a body in the engine that the settings choose, compiled with the first batch."""

    def __init__(self, body: nn.Cell, settings: Settings) -> None:
        self._body = body
        machine = this_machine()
        self._choice = choose_engine(settings.engine, settings.device, None, machine)
        self._runner: Runner | None = None
        self.engine = self._choice.engine

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
                return _compiled(self._body, image[:_CHECKED_ROWS])
            except Exception as error:  # MindSpore's compiler and onnx raise whatever they meet
                if self._choice.required:
                    raise
                reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
                note(f"features come from MindSpore, as they could not be compiled: {reason}")
        self.engine = "mindspore"
        return CellRunner(self._body)


def _compiled(body: nn.Cell, few: Array) -> OnnxRunner:
    twin = prepare_copy(copy_network(body), (few[:1],), fold=True).net
    taken = GraphInput("image", few[:1].shape, {0: "batch"})
    model = onnx_model(twin, [taken], (FEATURES,), Metadata())
    runner = OnnxRunner(model.SerializeToString(), inputs=("image",))
    whole = CellRunner(body, "pynative", outputs=(FEATURES,))
    check_form(runner, whole, {"image": few}, lambda name, output: (output,))
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
        self._speed: list[float] = []  # rows a second, of each batch after the first

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
        threads = min(MOST_THREADS, machine_threads())
        groups = in_batches(len(numbers), lambda place: read(numbers[place]), _BATCH, threads)
        for group in groups:
            errors.update({one.place: one.error for one in group if one.error is not None})
            found = self._timed(group)
            if found is None:
                continue
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

    def _timed(self, group: Sequence[Ready]) -> Array | None:
        rows = rows_of(group)
        if not rows:
            return None
        started = time.perf_counter()
        found = self._body.run(np.stack([row.inputs["image"] for row in rows]))
        self._speed.append(len(rows) / max(1e-9, time.perf_counter() - started))
        if len(self._speed) == 3:  # the first compiles, the second warms up
            self._told(self._speed[-1])
        return found


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
