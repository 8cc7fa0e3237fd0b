"""Batches in an order that is a pure function of (seed, epoch), read ahead by threads.

A sample that turns out to be unreadable is left out: the next readable one takes its place (the
task's rows see to it), so that the order stays a function of seed, epoch and files.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zoohub.running import Array
from zoohub.tasks.contract import Note, TrainingRow, TrainingRows
from zoohub.tasks.parts import Arranged

_ROWS = 4  # at most that a thread reads at a time: of features, a job costs more than its row

# Streams of random numbers that must not meet: the key after the seed.
ORDER, PICTURE, MIX, ARRANGED = 0, 1, 2, 3


@dataclass(frozen=True)
class Plan:
    """How an epoch is cut: `batch` samples a step, of which this worker computes `share` in
    `micro` samples at a time."""

    count: int
    batch: int
    workers: int = 1
    rank: int = 0
    micro: int | None = None

    @property
    def steps(self) -> int:
        """Optimiser steps an epoch. A remainder is left for another epoch's order."""
        return max(1, self.count // self.batch)

    @property
    def share(self) -> int:
        """Samples this worker computes a step."""
        return self.batch // self.workers

    @property
    def micro_batch(self) -> int:
        """Samples computed at once."""
        return self.micro or self.share

    @property
    def accumulate(self) -> int:
        """Gradients added up before the optimiser steps."""
        return self.share // self.micro_batch


def epoch_order(count: int, batch: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """All samples' places shuffled; repeated where they are too few to fill one batch."""
    random = np.random.default_rng([seed, ORDER, epoch])
    repeats = -(-batch // count)
    return np.concatenate([random.permutation(count) for _ in range(repeats)])


def step_places(plan: Plan, order: NDArray[np.int64], step: int) -> NDArray[np.int64]:
    """The places this worker computes in `step`, shape (accumulate, micro_batch)."""
    start = step * plan.batch + plan.rank * plan.share
    return order[start : start + plan.share].reshape(plan.accumulate, plan.micro_batch)


class _Step:
    """A step's rows, which the reading threads put in place: nothing is left to be copied when
    the step begins."""

    def __init__(self, count: int) -> None:
        # Of each: (name, reason) of the samples that could not be read for it.
        self.jobs: list[Future[dict[str, str]]] = []
        self._count = count
        self._inputs: dict[str, Array] = {}
        self._targets: dict[str, Array] = {}
        self._lock = threading.Lock()

    def put(self, number: int, row: TrainingRow) -> None:
        """Set row `number`; the first one to come tells the shapes of all."""
        pairs = ((self._inputs, row.inputs), (self._targets, row.targets))
        with self._lock:
            for stacks, arrays in pairs:
                for name, array in arrays.items():
                    if name not in stacks:
                        stacks[name] = np.empty((self._count, *array.shape), array.dtype)
        for stacks, arrays in pairs:
            for name, array in arrays.items():
                stacks[name][number] = array

    @property
    def rows(self) -> TrainingRow:
        """All rows, stacked, once every job is done."""
        return TrainingRow(self._inputs, self._targets)


class Loader:
    """Reads ahead; the threads' number and speed change nothing about what comes.

    `note` is told of each sample that could not be read, as often as that is found.
    """

    def __init__(
        self,
        make: TrainingRows,
        plan: Plan,
        seed: int,
        threads: int | None = None,
        note: Note = lambda name, reason: None,
    ) -> None:
        self.make, self.plan, self.seed, self.note = make, plan, seed, note
        self.threads = threads or min(8, os.cpu_count() or 1)

    def steps(self, epoch: int, first: int = 0) -> Iterator[TrainingRow]:
        """For each step from `first` on: its rows, stacked.

        Raises:
            DataError: no sample at all can be read.
        """
        plan = self.plan
        order = epoch_order(plan.count, plan.batch, self.seed, epoch)
        if isinstance(self.make, Arranged):
            random = np.random.default_rng([self.seed, ARRANGED, epoch])
            order = self.make.arranged(order, plan.batch, random)
        rows = max(1, min(_ROWS, plan.share // self.threads))
        pending: deque[_Step] = deque()
        with ThreadPoolExecutor(self.threads) as pool:
            try:
                for step in range(first, plan.steps):
                    places = step_places(plan, order, step).ravel()
                    moment = epoch, step * plan.batch + plan.rank * plan.share
                    reading = _Step(len(places))
                    reading.jobs = [
                        pool.submit(self._some, reading, i, places[i : i + rows], moment)
                        for i in range(0, len(places), rows)
                    ]
                    pending.append(reading)
                    if len(pending) > 2:
                        yield self._collect(pending.popleft())
                while pending:
                    yield self._collect(pending.popleft())
            finally:
                pool.shutdown(wait=False, cancel_futures=True)

    def _some(
        self, step: _Step, first: int, places: NDArray[np.int64], moment: tuple[int, int]
    ) -> dict[str, str]:
        """Put the samples at `places` into the step's rows from `first` on; `moment` is the epoch,
        and the position in it of the step's first row."""
        epoch, position = moment
        failed: dict[str, str] = {}
        for number, place in enumerate(places, first):
            random = np.random.default_rng([self.seed, PICTURE, epoch, position + number])
            step.put(number, self.make(int(place), random, failed.setdefault, epoch))
        return failed

    def _collect(self, step: _Step) -> TrainingRow:
        for job in step.jobs:  # here and not in the threads: always in one order
            for name, reason in job.result().items():
                self.note(name, reason)
        return step.rows
