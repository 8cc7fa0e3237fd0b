"""Batches in an order that is a pure function of (seed, epoch), read ahead by threads.

A picture that turns out to be unreadable is left out: the next readable one takes its place in a
training batch, so that the order stays a function of seed, epoch and files.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zoohub.errors import DataError
from zoohub.training.data.samples import Samples

# (samples' place, generator) -> float32 (C, H, W)
Prepare = Callable[[int, np.random.Generator], NDArray[np.float32]]
# Told of (name, reason) of each picture that could not be read.
Note = Callable[[str, str], object]
# Streams of random numbers that must not meet: the key after the seed.
ORDER, PICTURE, MIX = 0, 1, 2


@dataclass(frozen=True)
class Plan:
    """How an epoch is cut: `batch` pictures a step, of which this worker computes `share` in
    `micro` pictures at a time."""

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
        """Pictures this worker computes a step."""
        return self.batch // self.workers

    @property
    def micro_batch(self) -> int:
        """Pictures computed at once."""
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


@dataclass(frozen=True)
class _Read:
    """The place a picture came from, and the places that failed before it."""

    place: int
    failed: tuple[tuple[int, str], ...] = ()


class _Step:
    """A step's pictures, which the reading threads put in place: nothing is left to be copied when
    the step begins."""

    def __init__(self, count: int) -> None:
        self.jobs: list[Future[_Read]] = []
        self._count = count
        self._images: NDArray[np.float32] | None = None
        self._lock = threading.Lock()

    def put(self, number: int, image: NDArray[np.float32]) -> None:
        """Set picture `number`; the first one to come tells the shape of all."""
        with self._lock:
            if self._images is None:
                self._images = np.empty((self._count, *image.shape), np.float32)
        self._images[number] = image

    @property
    def images(self) -> NDArray[np.float32]:
        """All pictures (N, C, H, W), once every job is done."""
        assert self._images is not None
        return self._images


class Loader:
    """Reads ahead; the threads' number and speed change nothing about what comes."""

    def __init__(
        self,
        samples: Samples,
        prepare: Prepare,
        plan: Plan,
        seed: int,
        threads: int | None = None,
        note: Note = lambda name, reason: None,
    ) -> None:
        self.samples, self.prepare, self.plan, self.seed = samples, prepare, plan, seed
        self.note = note
        self.threads = threads or min(8, os.cpu_count() or 1)

    def steps(
        self, epoch: int, first: int = 0
    ) -> Iterator[list[tuple[NDArray[np.float32], NDArray[np.int64]]]]:
        """For each step from `first` on: its micro-batches as (images NCHW, labels).

        Raises:
            DataError: no picture at all can be read.
        """
        plan = self.plan
        order = epoch_order(plan.count, plan.batch, self.seed, epoch)
        pending: deque[_Step] = deque()
        with ThreadPoolExecutor(self.threads) as pool:
            try:
                for step in range(first, plan.steps):
                    places = step_places(plan, order, step).ravel()
                    position = step * plan.batch + plan.rank * plan.share
                    reading = _Step(len(places))
                    reading.jobs = [
                        pool.submit(self._one, reading, i, int(place), epoch, position + i)
                        for i, place in enumerate(places)
                    ]
                    pending.append(reading)
                    if len(pending) > 2:
                        yield self._collect(pending.popleft())
                while pending:
                    yield self._collect(pending.popleft())
            finally:
                pool.shutdown(wait=False, cancel_futures=True)

    def _one(self, step: _Step, number: int, place: int, epoch: int, position: int) -> _Read:
        failed: list[tuple[int, str]] = []
        count = len(self.samples)
        for candidate in (*range(place, count), *range(place)):
            random = np.random.default_rng([self.seed, PICTURE, epoch, position])
            try:
                step.put(number, self.prepare(candidate, random))
                return _Read(candidate, tuple(failed))
            except DataError as error:
                failed.append((candidate, str(error)))
        raise DataError(f"none of the {count} training pictures can be read: {failed[0][1]}")

    def _collect(self, step: _Step) -> list[tuple[NDArray[np.float32], NDArray[np.int64]]]:
        read = [job.result() for job in step.jobs]
        for one in read:
            for place, reason in one.failed:
                self.note(self.samples.names[place], reason)
        size = self.plan.micro_batch
        labels = self.samples.labels[[one.place for one in read]]
        return [
            (step.images[i : i + size], labels[i : i + size]) for i in range(0, len(read), size)
        ]


def in_order(
    samples: Samples,
    prepare: Prepare,
    batch: int,
    threads: int | None = None,
    note: Note = lambda name, reason: None,
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.int64]]]:
    """All readable samples in their order, for evaluation; batches may be smaller than `batch`."""
    random = np.random.default_rng(0)

    def read(place: int) -> NDArray[np.float32] | DataError:
        try:
            return prepare(place, random)
        except DataError as error:
            return error

    with ThreadPoolExecutor(threads or min(8, os.cpu_count() or 1)) as pool:
        for start in range(0, len(samples), batch):
            places = range(start, min(start + batch, len(samples)))
            images, labels = [], []
            for place, result in zip(places, pool.map(read, places), strict=True):
                if isinstance(result, DataError):
                    note(samples.names[place], str(result))
                else:
                    images.append(result)
                    labels.append(samples.labels[place])
            if images:
                yield np.stack(images), np.array(labels, np.int64)
