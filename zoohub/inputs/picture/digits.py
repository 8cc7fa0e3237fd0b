"""The UCI digits: the whole set through scikit-learn, the held-out fifth from the package.

E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning
Repository, 1998; scikit-learn carries its 1,797 test pictures of 8×8 pixels with values 0 to 16.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from zoohub.errors import DataError


@dataclass(frozen=True)
class Digits:
    """Pictures uint8 (8, 8), their digits int64 (n,), and what to call them."""

    images: Sequence[NDArray[np.uint8]]
    labels: NDArray[np.int64]
    names: Sequence[str]

    def __len__(self) -> int:
        return len(self.images)

    def take(self, places: Sequence[int] | NDArray[np.int64]) -> Digits:
        """Only the digits at these places, in this order."""
        return Digits(
            [self.images[i] for i in places],
            self.labels[np.asarray(places, np.int64)],
            [self.names[i] for i in places],
        )


def heldout_digits() -> Digits:
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
    return Digits(list(images), labels, [f"digit-{5 * i:04d}" for i in range(len(images))])


def all_digits() -> Digits:
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
    return Digits(list(images), bunch.target.astype(np.int64), names)
