"""As many pictures are held at a time as there is room for."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from zoohub.manifest.entry import InputContract
from zoohub.predicting.measuring import measure_samples, rows_at_once
from zoohub.tasks.contract import Row
from zoohub.tasks.samples import Samples


def contract(side: int, resize: str) -> InputContract:
    return InputContract(size=(side, side), resize=resize, interpolation="bilinear")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("side", "resize", "rows"),
    [
        (224, "crop", 64),
        (640, "letterbox", 64),
        (1280, "letterbox", 16),
        (736, "pad", 48),
        (9000, "pad", 1),
        (736, "at_least", 1),
        (736, "at_most", 1),
        (736, "within", 1),
    ],
)
def test_fewer_of_large_pictures_and_one_of_any_size(side: int, resize: str, rows: int) -> None:
    assert rows_at_once(contract(side, resize), 64) == rows
    assert rows_at_once(contract(side, resize), 3) == min(rows, 3)


def test_what_is_no_picture_comes_as_many_as_asked_for() -> None:
    assert rows_at_once(InputContract(), 64) == 64


class Counted:
    """A metric that says how many rows came at a time."""

    def __init__(self) -> None:
        self.seen: list[int] = []

    def add(self, form: object, rows: list[Row], targets: list[Any]) -> None:
        assert len(rows) == len(targets)
        self.seen.append(len(rows))


@pytest.mark.parametrize(("resize", "seen"), [("pad", [4, 4, 2]), ("at_least", [1] * 10)])
def test_pictures_of_any_size_are_measured_one_by_one(resize: str, seen: list[int]) -> None:
    metric = Counted()
    predictor: Any = SimpleNamespace(
        names=(),
        input=contract(736, resize),
        task=SimpleNamespace(metric=lambda names: metric),
        infer=lambda rows: None,
    )
    samples = Samples(list(range(10)), [None] * 10, list(map(str, range(10))))
    row = Row({"image": np.zeros((3, 8, 8), np.float32)})
    measure_samples(predictor, samples, 4, lambda *_: None, lambda _: (row,))
    assert metric.seen == seen
