"""The UCI digits: the whole set through scikit-learn, the held-out fifth from the package.

E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning
Repository, 1998; scikit-learn carries its 1,797 test pictures of 8×8 pixels with values 0 to 16.
"""

from __future__ import annotations

from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from zoohub.errors import DataError
from zoohub.training.data.samples import Samples, Splits
from zoohub.training.recipe import DigitsData

FOLDS = 5


def heldout_digits() -> Samples:
    """The 360 pictures i with i % 5 == 0, out of the package: uint8 (8, 8), 0 to 255.

    No recipe of zoohub trains on them or chooses anything by them.
    """
    from PIL import Image

    folder = files("zoohub") / "_data" / "digits"
    with (folder / "heldout.png").open("rb") as stream, Image.open(stream) as sheet:
        pixels = np.asarray(sheet)
    rows, columns = pixels.shape[0] // 8, pixels.shape[1] // 8
    images = pixels.reshape(rows, 8, columns, 8).transpose(0, 2, 1, 3).reshape(-1, 8, 8)
    text = (folder / "heldout.txt").read_text(encoding="ascii")
    labels = np.array([int(digit) for digit in text if digit.isdigit()], dtype=np.int64)
    return Samples(list(images), labels, [f"digit-{5 * i:04d}" for i in range(len(images))])


def all_digits() -> Samples:
    """All 1,797 pictures, uint8 (8, 8) with 0 to 16 spread over 0 to 255.

    Raises:
        DataError: scikit-learn, which carries the pictures, is not installed.
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise DataError(
            "the digits to train on come with scikit-learn, which is not installed; "
            "`pip install scikit-learn` (the held-out digits are in zoohub itself)"
        ) from None
    bunch = load_digits()
    images = np.round(bunch.images * 255 / 16).astype(np.uint8)
    names = [f"digit-{i:04d}" for i in range(len(images))]
    return Samples(list(images), bunch.target.astype(np.int64), names)


def fold_of(index: NDArray[np.int64], count: int, folds: str) -> NDArray[np.int64]:
    """The fold, 0 to 4, of each picture. Blocks are counted from the end, so each is full there."""
    if folds == "interleaved":
        return index % FOLDS
    size = -(-count // FOLDS)
    return FOLDS - 1 - (count - 1 - index) // size


def read_digits(data: DigitsData) -> Splits:
    """The digits split as `data` says. Raises DataError as `all_digits`."""
    samples = all_digits()
    classes = data.classes if data.classes is not None else tuple(range(10))
    place = np.full(10, -1, dtype=np.int64)
    place[list(classes)] = np.arange(len(classes))
    samples = Samples(samples.images, place[samples.labels], samples.names)
    fold = fold_of(np.arange(len(samples), dtype=np.int64), len(samples), data.folds)
    fold[samples.labels < 0] = -1
    train = np.flatnonzero(np.isin(fold, data.train))
    return Splits(
        classes=tuple(str(digit) for digit in classes),
        train=samples.take(_part(train, samples.labels, data.part)),
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
