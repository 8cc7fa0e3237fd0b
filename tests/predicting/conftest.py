"""Runners in plain NumPy, for what needs no framework."""

import numpy as np
import pytest


class ColourRunner:
    """A classifier of (N, 3, H, W): one logit a colour channel, its mean over the picture.

    Keeps the lengths of the batches it was given.
    """

    inputs = ("image",)

    def __init__(self, outputs: int = 3) -> None:
        self.outputs = outputs
        self.batches: list[int] = []

    def run(self, named: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        inputs = named["image"]
        self.batches.append(len(inputs))
        logits = np.full((len(inputs), self.outputs), -50, np.float32)
        logits[:, :3] = inputs.mean(axis=(2, 3)) * 10
        return {"logits": logits}


class WhiteBoxRunner:
    """A detector of (N, 3, H, W): one box around the white pixels, and a weak double of it."""

    inputs = ("image",)

    def run(self, named: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        inputs = named["image"]
        prediction = np.zeros((len(inputs), 3, 7), np.float32)
        for row, picture in zip(prediction, inputs, strict=True):
            y, x = np.nonzero(picture.min(axis=0) > 0.8)
            if len(x):
                left, top, right, bottom = x.min(), y.min(), x.max() + 1, y.max() + 1
                box = ((left + right) / 2, (top + bottom) / 2, right - left, bottom - top)
                row[0] = (*box, 0.9, 0.1, 1.0)
                row[1] = (*box, 0.8, 0.1, 1.0)
        return {"predictions": prediction, "map_0": np.zeros((len(inputs), 3, 2, 2, 7), np.float32)}


@pytest.fixture
def colours() -> ColourRunner:
    return ColourRunner()


@pytest.fixture
def white_boxes() -> WhiteBoxRunner:
    return WhiteBoxRunner()


@pytest.fixture
def thousand_and_one() -> ColourRunner:
    return ColourRunner(outputs=1001)
