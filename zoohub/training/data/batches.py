"""Batches in an order that is a pure function of (seed, epoch), read ahead by threads."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zoohub.training.data.samples import Samples

# (samples' place, generator) -> float32 (C, H, W)
Prepare = Callable[[int, np.random.Generator], NDArray[np.float32]]
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


class Loader:
    """Reads ahead; the threads' number and speed change nothing about what comes."""

    def __init__(
        self, samples: Samples, prepare: Prepare, plan: Plan, seed: int, threads: int | None = None
    ) -> None:
        self.samples, self.prepare, self.plan, self.seed = samples, prepare, plan, seed
        self.threads = threads or min(8, os.cpu_count() or 1)

    def steps(
        self, epoch: int, first: int = 0
    ) -> Iterator[list[tuple[NDArray[np.float32], NDArray[np.int64]]]]:
        """For each step from `first` on: its micro-batches as (images NCHW, labels)."""
        plan = self.plan
        order = epoch_order(plan.count, plan.batch, self.seed, epoch)
        pending: deque[tuple[NDArray[np.int64], list[Future[NDArray[np.float32]]]]] = deque()
        with ThreadPoolExecutor(self.threads) as pool:
            try:
                for step in range(first, plan.steps):
                    places = step_places(plan, order, step)
                    position = step * plan.batch + plan.rank * plan.share
                    jobs = [
                        pool.submit(self._one, int(place), epoch, position + i)
                        for i, place in enumerate(places.ravel())
                    ]
                    pending.append((places, jobs))
                    if len(pending) > 2:
                        yield self._collect(*pending.popleft())
                while pending:
                    yield self._collect(*pending.popleft())
            finally:
                pool.shutdown(wait=False, cancel_futures=True)

    def _one(self, place: int, epoch: int, position: int) -> NDArray[np.float32]:
        return self.prepare(place, np.random.default_rng([self.seed, PICTURE, epoch, position]))

    def _collect(
        self, places: NDArray[np.int64], jobs: list[Future[NDArray[np.float32]]]
    ) -> list[tuple[NDArray[np.float32], NDArray[np.int64]]]:
        images = [job.result() for job in jobs]
        size = self.plan.micro_batch
        return [
            (np.stack(images[i * size : (i + 1) * size]), self.samples.labels[row])
            for i, row in enumerate(places)
        ]


def in_order(
    samples: Samples, prepare: Prepare, batch: int, threads: int | None = None
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.int64]]]:
    """All samples in their order, for evaluation; the last batch may be smaller."""
    random = np.random.default_rng(0)
    with ThreadPoolExecutor(threads or min(8, os.cpu_count() or 1)) as pool:
        for start in range(0, len(samples), batch):
            places = range(start, min(start + batch, len(samples)))
            images = list(pool.map(lambda place: prepare(place, random), places))
            yield np.stack(images), samples.labels[start : start + batch]
