"""Batches of pictures with padded targets, in an order that is a function of (seed, epoch).

A picture that turns out to be unreadable is left out: the next readable one takes its place, in a
mosaic too, so that the order stays a function of seed, epoch and files.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from zoohub.errors import DataError
from zoohub.manifest.entry import InputContract
from zoohub.training.data.batches import PICTURE, Note, Plan, epoch_order, step_places
from zoohub.training.data.pixels import normalise
from zoohub.training.detection.augment import BoxAugment, flip, letterbox, mosaic, recolour
from zoohub.training.detection.samples import Boxes, BoxSamples
from zoohub.vision.image import read_image

Item = tuple[NDArray[np.float32], NDArray[np.float32]]
# An item, and (name, reason) of each picture that could not be read for it.
_Read = tuple[Item, tuple[tuple[str, str], ...]]


def padded_targets(boxes: Boxes, most: int) -> NDArray[np.float32]:
    """Boxes (n, 5) as class, centre x, centre y, width, height, filled up with class -1.

    Of more than `most` boxes the largest stay.
    """
    if len(boxes) > most:
        areas = (boxes[:, 3] - boxes[:, 1]) * (boxes[:, 4] - boxes[:, 2])
        boxes = boxes[np.sort(np.argsort(-areas, kind="stable")[:most])]
    targets = np.full((most, 5), -1, np.float32)
    targets[:, 1:] = 1.0  # a size of 0 would divide by 0 even where it is masked out
    targets[: len(boxes), 0] = boxes[:, 0]
    targets[: len(boxes), 1:3] = (boxes[:, 1:3] + boxes[:, 3:5]) / 2
    targets[: len(boxes), 3:5] = boxes[:, 3:5] - boxes[:, 1:3]
    return targets


class TrainingPictures:
    """The network's input and targets of one training picture, randomly changed."""

    def __init__(
        self, samples: BoxSamples, contract: InputContract, augment: BoxAugment, most: int
    ) -> None:
        assert contract.size is not None
        self.samples, self.contract, self.augment = samples, contract, augment
        self.size, self.most = contract.size, most

    def __call__(self, place: int, random: np.random.Generator, note: Note, *, whole: bool) -> Item:
        """Image (C, H, W) and targets (most, 5); `whole` rules out mosaics.

        `note` is told of the pictures that could not be read, in whose places others came.

        Raises:
            DataError: no picture at all can be read.
        """
        augment, size = self.augment, self.size
        if not whole and random.random() < augment.mosaic:
            others = random.integers(len(self.samples), size=3)
            pictures = [self._read(int(i), note) for i in (place, *others)]
            pixels, boxes = mosaic(pictures, size, augment, random)
        else:
            pixels, boxes = letterbox(*self._read(place, note), size, augment, random)
        if augment.flip and random.random() < augment.flip:
            pixels, boxes = flip(pixels, boxes)
        pixels = recolour(pixels, augment, random)
        if self.contract.colour == "BGR":
            pixels = pixels[:, :, ::-1]
        return normalise(pixels, self.contract), padded_targets(boxes, self.most)

    def _read(self, place: int, note: Note) -> tuple[NDArray[np.uint8], Boxes]:
        """The picture at `place`, or the first readable one after it, with its boxes."""
        samples, count = self.samples, len(self.samples)
        for candidate in (*range(place, count), *range(place)):
            try:
                return read_image(samples.images[candidate], "RGB"), samples.boxes[candidate]
            except DataError as error:
                note(samples.names[candidate], str(error))
                reason = error
        raise DataError(f"none of the {count} training pictures can be read; last: {reason}")


class BoxLoader:
    """Reads ahead in threads; their number and speed change nothing about what comes.

    `note` is told of each picture that could not be read, as often as that is found.
    """

    def __init__(
        self,
        prepare: TrainingPictures,
        plan: Plan,
        seed: int,
        threads: int | None = None,
        note: Note = lambda name, reason: None,
    ) -> None:
        self.prepare, self.plan, self.seed, self.note = prepare, plan, seed, note
        self.threads = threads or min(8, os.cpu_count() or 1)

    def steps(self, epoch: int, first: int = 0, *, whole: bool = False) -> Iterator[list[Item]]:
        """For each step from `first` on: its micro-batches as (images NCHW, targets).

        The targets are all of the step's, a micro-batch's own first.

        Raises:
            DataError: no picture at all can be read.
        """
        plan = self.plan
        order = epoch_order(plan.count, plan.batch, self.seed, epoch)
        pending: deque[list[Future[_Read]]] = deque()
        with ThreadPoolExecutor(self.threads) as pool:
            try:
                for step in range(first, plan.steps):
                    position = step * plan.batch + plan.rank * plan.share
                    places = step_places(plan, order, step).ravel()
                    pending.append(
                        [
                            pool.submit(self._one, int(place), epoch, position + i, whole)
                            for i, place in enumerate(places)
                        ]
                    )
                    if len(pending) > 2:
                        yield self._collect(pending.popleft())
                while pending:
                    yield self._collect(pending.popleft())
            finally:
                pool.shutdown(wait=False, cancel_futures=True)

    def _one(self, place: int, epoch: int, position: int, whole: bool) -> _Read:
        random = np.random.default_rng([self.seed, PICTURE, epoch, position])
        failed: dict[str, str] = {}
        item = self.prepare(place, random, failed.setdefault, whole=whole)
        return item, tuple(failed.items())

    def _collect(self, jobs: list[Future[_Read]]) -> list[Item]:
        items: list[Item] = []
        for job in jobs:
            item, failed = job.result()
            items.append(item)
            for name, reason in failed:  # here and not in the threads: always in one order
                self.note(name, reason)
        size = self.plan.micro_batch
        targets = np.stack([targets for _, targets in items])
        return [
            (
                np.stack([image for image, _ in items[start : start + size]]),
                np.roll(targets, -start, axis=0),
            )
            for start in range(0, len(items), size)
        ]
