"""Splits where the data has none, and the classes of labels: pure functions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from zoohub.errors import DataError
from zoohub.tasks.samples import Samples, Splits, left_out_sentence

# What int() reads: `²`, which str.isdigit() takes for a digit, and `--1` it does not.
_NUMBER = re.compile(r"-?\d{1,18}")


def split_off(
    labels: NDArray[np.int64], share: float, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(training places, validation places): `share` of each class to validation, by `seed`.

    A class keeps at least one picture to train on, and gives at least one to validation where it
    has two or more and `share` is above 0.
    """
    random = np.random.default_rng([seed, len(labels)])
    train, validation = [], []
    for label in np.unique(labels):
        places = random.permutation(np.flatnonzero(labels == label))
        count = min(len(places) - 1, max(1, round(share * len(places)))) if share else 0
        validation.append(places[:count])
        train.append(places[count:])
    return np.sort(np.concatenate(train)), np.sort(np.concatenate(validation))


def sort_classes(names: Iterable[str]) -> tuple[str, ...]:
    """Distinct class names: by value where all are whole numbers, else alphabetically.

    Raises:
        DataError: two differ only in case, which some file systems and people cannot tell apart.
    """
    distinct = set(names)
    by_fold: dict[str, str] = {}
    for name in sorted(distinct):
        other = by_fold.setdefault(name.casefold(), name)
        if other != name:
            raise DataError(
                f"two classes have one name in different case: {other!r} and {name!r}; "
                "rename one, or put their pictures together"
            )
    ordered = sorted(distinct)  # `01` beside `1` would else come in a set's order
    return tuple(sorted(ordered, key=int) if all(map(_NUMBER.fullmatch, ordered)) else ordered)


def split_classes(
    samples: Samples[int], share: float, seed: int
) -> tuple[Samples[int], Samples[int]]:
    """The samples to train on and those to validate on; see `split_off`."""
    train, validation = split_off(np.array(samples.targets, np.int64), share, seed)
    return samples.take(train), samples.take(validation)


def require_samples(splits: Splits[int], measuring: bool) -> Splits[int]:
    """The splits. Raises DataError where there is nothing to train on or measure with."""
    if measuring and not any(map(len, (splits.train, splits.validation, splits.test))):
        raise DataError("the data is empty")
    if not measuring and not len(splits.train):
        raise DataError("the training part is empty")
    return splits


def require_two(
    classes: Sequence[str],
    where: object,
    sample: str = "picture",
    skipped: Mapping[str, str] | None = None,
) -> None:
    """Raises DataError where `classes`, those with samples to train on, are fewer than two; with
    what was `skipped`, which may be why."""
    if len(classes) < 2:
        found = f"only {classes[0]!r}" if classes else "none"
        said = (
            f"{where}: at least two classes with readable {sample}s are needed to train, "
            f"found {found}"
        )
        raise DataError("; ".join((said, *left_out_sentence(skipped or {}, sample))))


def no_picture(where: object, among: str, skipped: Mapping[str, str]) -> DataError:
    """What to say where nothing at all can be read; `among` are the rows, or the classes."""
    said = f"{where}: no readable picture in any {among}"
    return DataError("; ".join((said, *left_out_sentence(skipped))))


def class_warnings(classes: Sequence[str], labels: Sequence[int], share: float) -> tuple[str, ...]:
    """What the user should know of classes with hardly any pictures to train on."""
    counts = np.bincount(np.array(labels, np.int64), minlength=len(classes))
    single = [name for name, count in zip(classes, counts, strict=True) if count == 1]
    if not single or not share:
        return ()
    return (f"only one picture each, so none to validate on: {', '.join(single)}",)
