"""The UCI digits as a classifier's data, in folds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zoohub.inputs.picture.digits import all_digits, heldout_digits
from zoohub.tasks.classification.recipe import DigitsData
from zoohub.tasks.contract import Reader
from zoohub.tasks.samples import Samples, Splits, none

FOLDS = 5


class DigitsReader(Reader[DigitsData, int]):
    """The word `digits`, where there is no file of that name."""

    data = DigitsData
    says = "`digits`"
    dataset = "uci-digits"

    def claims(self, source: Path) -> bool:
        """See `Reader`."""
        return str(source) == "digits" and not source.exists()

    def describe(self, source: Path) -> DigitsData:
        """See `Reader`."""
        return DigitsData("digits")

    def read(self, data: DigitsData, *, measuring: bool = False) -> Splits[int]:
        """See `Reader`."""
        return read_digits(data)

    def held_out(self) -> Splits[int]:
        """The digits that no recipe of zoohub trains on, out of the package."""
        digits = heldout_digits()
        samples = Samples(digits.images, digits.labels.tolist(), digits.names)
        return Splits(tuple("0123456789"), none(), none(), samples)


def fold_of(index: NDArray[np.int64], count: int, folds: str) -> NDArray[np.int64]:
    """The fold, 0 to 4, of each picture. Blocks are counted from the end, so each is full there."""
    if folds == "interleaved":
        return index % FOLDS
    size = -(-count // FOLDS)
    return FOLDS - 1 - (count - 1 - index) // size


def read_digits(data: DigitsData) -> Splits[int]:
    """The digits split as `data` says. Raises DataError as `all_digits`."""
    digits = all_digits()
    classes = data.classes if data.classes is not None else tuple(range(10))
    place = np.full(10, -1, dtype=np.int64)
    place[list(classes)] = np.arange(len(classes))
    labels = place[digits.labels]
    samples = Samples(digits.images, labels.tolist(), digits.names)
    fold = fold_of(np.arange(len(samples), dtype=np.int64), len(samples), data.folds)
    fold[labels < 0] = -1
    train = np.flatnonzero(np.isin(fold, data.train))
    return Splits(
        classes=tuple(str(digit) for digit in classes),
        train=samples.take(_part(train, labels, data.part)),
        validation=samples.take(np.flatnonzero(np.isin(fold, data.validation))),
        test=samples.take(np.flatnonzero(np.isin(fold, data.test))),
    )


def _part(chosen: NDArray[np.int64], labels: NDArray[np.int64], part: float) -> NDArray[np.int64]:
    if part >= 1:
        return chosen
    kept = [
        group[: max(1, round(part * len(group)))]
        for label in np.unique(labels[chosen])
        for group in [chosen[labels[chosen] == label]]
    ]
    return np.sort(np.concatenate(kept))
