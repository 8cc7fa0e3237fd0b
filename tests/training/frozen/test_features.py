"""Features that several threads compute are those of their rows, in the rows' order."""

from __future__ import annotations

import threading
import time
from typing import Any

import numpy as np
import pytest

from zoohub.errors import DataError
from zoohub.tasks.contract import Row
from zoohub.training.frozen.features import Features, Label

COUNT, BROKEN = 45, (3, 4, 5, 6, 7, 20)


class Body:
    """Gives a picture's mean after a while; `parallel` once it has run, as what is compiled."""

    engine, threads = "onnxruntime", 3

    def __init__(self) -> None:
        self.parallel = False
        self.running = self.most = 0
        self._lock = threading.Lock()

    def run(self, image: Any) -> Any:
        with self._lock:
            self.running += 1
            self.most = max(self.most, self.running)
        time.sleep(0.01 * (3 - int(image[0, 0, 0, 0]) % 3))  # a later one may end before
        with self._lock:
            self.running -= 1
        self.parallel = True
        return image.mean((1, 2, 3))[:, None]


def read(number: int) -> tuple[Row, ...]:
    if number in BROKEN:
        raise DataError(f"{number} cannot be read")
    image = np.full((3, 2, 2), number, np.float32)
    return (Row({"image": image}, Label(number % 10)),)


def test_each_row_has_its_own_feature_whichever_thread_ends_first() -> None:
    body, told = Body(), []
    features = Features(body, None, told.append)  # type: ignore[arg-type]
    part = features.of("train", COUNT, read, {})
    assert 1 < body.most <= body.threads
    for number in set(range(COUNT)) - set(BROKEN):
        assert part.feature(number) == [number]
        assert part.label(number) == number % 10
    for number in BROKEN:
        with pytest.raises(DataError, match=f"{number} cannot be read"):
            part.feature(number)
    (speed,) = told
    assert 0 < speed < 3 * 4 / 0.01


def test_what_a_thread_raises_ends_it_before_the_rest_is_read() -> None:
    seen: list[int] = []

    def fail(number: int) -> tuple[Row, ...]:
        seen.append(number)
        if number == 12:
            raise ZeroDivisionError
        time.sleep(0.002)
        return (Row({"image": np.zeros((3, 2, 2), np.float32)}, Label(0)),)

    with pytest.raises(ZeroDivisionError):
        Features(Body(), None, lambda speed: None).of("train", 1000, fail, {})  # type: ignore[arg-type]
    assert len(seen) < 500
