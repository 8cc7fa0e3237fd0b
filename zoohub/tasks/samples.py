"""Inputs with what is true of them, as every reader of every task gives them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, Generic, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from zoohub.core.counting import counted
from zoohub.core.escaping import brief

T = TypeVar("T")

# What the parts of a data set are called, in any case: folders, and splits in a table.
PARTS = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "dev": "validation",
    "validation": "validation",
    "test": "test",
    "testing": "test",
}


@dataclass(frozen=True)
class Samples(Generic[T]):
    """Inputs (paths, arrays, texts: what the task's `prepare` takes), what is true of each, and
    what to call each."""

    inputs: Sequence[object]
    targets: Sequence[T]
    names: Sequence[str]

    def __len__(self) -> int:
        return len(self.inputs)

    def take(self, places: Sequence[int] | NDArray[np.int64]) -> Samples[T]:
        """Only the samples at these places, in this order."""
        return Samples(
            [self.inputs[i] for i in places],
            [self.targets[i] for i in places],
            [self.names[i] for i in places],
        )


@dataclass(frozen=True)
class Splits(Generic[T]):
    """The parts of a data set; `skipped` maps what was left out to the reason, `warnings` are
    sentences for the user."""

    classes: tuple[str, ...]
    train: Samples[T]
    validation: Samples[T]
    test: Samples[T]
    skipped: dict[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def identity(self) -> Iterator[bytes]:
        """What makes two copies of the data the same to train on, wherever they are."""
        yield from map(os.fsencode, self.classes)
        for part in (self.train, self.validation, self.test):
            yield from (os.fsencode(Path(name).name) for name in part.names)
            for target in part.targets:
                yield from _bytes_of(target)

    def measured(self) -> Samples[T]:
        """What a network is measured on: the test part, else that for validation, else all."""
        return next((part for part in (self.test, self.validation) if len(part)), self.train)


AnySamples: TypeAlias = Samples[Any]
AnySplits: TypeAlias = Splits[Any]


def none() -> Samples[T]:
    """No samples."""
    return Samples([], [], [])


def split_off(samples: Samples[T], share: float, seed: int) -> tuple[Samples[T], Samples[T]]:
    """The samples without, and only, that share of them (at least one, not all), drawn by `seed`;
    both in their order."""
    order = np.random.default_rng([seed, len(samples)]).permutation(len(samples))
    count = min(len(samples) - 1, max(1, round(share * len(samples)))) if len(samples) else 0
    return samples.take(np.sort(order[count:])), samples.take(np.sort(order[:count]))


def left_out_sentence(skipped: Mapping[str, str], sample: str = "picture") -> tuple[str, ...]:
    """A sentence that counts the samples left out, by what one is called; none where there are
    none."""
    if not skipped:
        return ()
    path, reason = next(iter(skipped.items()))
    said = counted(len(skipped), f"{sample} was", f"{sample}s were")
    return (f"{said} left out (first: {left_out(path, reason)})",)


def left_out(name: str, reason: str) -> str:
    """A sample that was left out, and why; many a reason begins with the name itself."""
    return f"{brief(name)}: {brief(reason.removeprefix(f'{name}: '), 400)}"


def _bytes_of(target: object) -> Iterator[bytes]:
    if is_dataclass(target):
        for part in fields(target):
            yield from _bytes_of(getattr(target, part.name))
    elif isinstance(target, str | Path):  # a file beside the input: its folder may be another
        yield os.fsencode(Path(target).name)
    elif isinstance(target, tuple) and target and isinstance(target[0], list | dict):
        yield json.dumps(target).encode()  # shapes: lists of any lengths are no array
    else:
        yield np.asarray(target).tobytes()
