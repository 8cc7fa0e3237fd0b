"""Pictures of lines as each of MindOCR's recognisers is given them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zoohub.inputs.picture import Transform
from zoohub.inputs.picture.lines import line_padding, side_by_side, turned
from zoohub.manifest.entry import InputContract, LineContract

FILE = Path(__file__).parents[2] / "data" / "text_recognition" / "preprocessing.json"
CASES = json.loads(FILE.read_text(encoding="utf-8"))["cases"]
BYTES: dict[str, Any] = {
    "value_range": "0..255", "mean": (127.0,) * 3, "std": (127.0,) * 3, "interpolation": "bilinear"
}  # fmt: skip
HALVES: dict[str, Any] = {
    "value_range": "0..1", "mean": (0.5,) * 3, "std": (0.5,) * 3, "interpolation": "bilinear"
}  # fmt: skip
# In the order of the file.
CONTRACTS = [
    InputContract(size=(32, 100), resize="stretch", **BYTES),
    InputContract(size=(32, 320), resize="line", line=LineContract(), **BYTES),
    InputContract(size=(64, 256), resize="stretch", value_range="0..255", interpolation="bilinear"),
    InputContract(
        size=(48, 160), resize="line", line=LineContract("zero", normalised_first=True), **BYTES
    ),
    InputContract(
        size=(48, 160), resize="line", line=LineContract(multiple=4, narrowest=48), **HALVES
    ),
    InputContract(size=(48, 320), resize="line", line=LineContract("zero"), **HALVES),
]


@pytest.mark.parametrize(
    ("rows", "contract"), list(zip(CASES.values(), CONTRACTS, strict=True)), ids=list(CASES)
)
def test_arrays_are_mindocrs(rows: list[dict[str, Any]], contract: InputContract) -> None:
    for row in rows:
        height, width = row["source"]
        pixels = (np.arange(height * width * 3).reshape(height, width, 3) * 7 % 251).astype(
            np.uint8
        )
        prepared = Transform(contract).prepare(pixels)
        array = prepared.array
        assert sorted(array.shape) == sorted(row["shape"])
        figures = [array.mean(dtype=np.float64), array.std(), array.min(), array.max()]
        wanted = [row[key] for key in ("mean", "std", "min", "max")]
        assert figures == pytest.approx(wanted, abs=2e-5)
        if "valid" in row:
            assert int(40 * prepared.geometry.resized[1] / 160 + 0.5) == row["valid"]


def test_a_tall_picture_is_turned_to_the_left() -> None:
    pixels = np.zeros((50, 20, 3), np.uint8)
    pixels[0] = 255  # its top is then its left side
    found = turned(pixels, 2.0)
    assert found.shape == (20, 50, 3)
    assert (found[:, 0] == 255).all()
    assert not found[:, 1:].any()
    assert turned(pixels[:40], 2.0) is not None
    assert turned(pixels[:40], 2.0).shape == (40, 20, 3)  # twice as high, not more
    assert turned(pixels, None) is pixels


def test_a_long_line_is_as_wide_as_it_is_where_the_network_takes_that() -> None:
    line = LineContract("zero", widest=1000)
    contract = InputContract(size=(48, 320), resize="line", line=line, **HALVES)
    assert contract.open_width
    transform = Transform(contract)
    wide, short, endless = (
        transform(np.full((24, width, 3), 255, np.uint8)) for width in (400, 50, 20_000)
    )
    assert [array.shape for array in (wide, short, endless)] == [
        (3, 48, 800), (3, 48, 320), (3, 48, 1000)
    ]  # fmt: skip
    together = side_by_side([wide, short], line_padding(contract, transform.values), 832)
    assert together.shape == (2, 3, 48, 832)
    assert (together[0, :, :, :800] == 1).all()
    assert (together[1, :, :, :100] == 1).all()
    assert not together[1, :, :, 100:].any()
    black = InputContract(size=(48, 320), resize="line", line=LineContract(), **HALVES)
    assert (line_padding(black, Transform(black).values) == -1).all()


def test_a_line_may_go_on_as_it_ends() -> None:
    contract = InputContract(size=(32, 100), resize="line", line=LineContract("edge"), **HALVES)
    pixels = np.arange(32 * 40 * 3).reshape(32, 40, 3).astype(np.uint8)
    array = Transform(contract)(pixels)
    assert (array[:, :, 40:] == array[:, :, 39, None]).all()


@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (5000, 1)])
def test_the_oddest_pictures_fit(size: tuple[int, int]) -> None:
    for contract in CONTRACTS:
        array = Transform(contract)(np.zeros((*size, 3), np.uint8))
        assert array.shape[1:] == contract.size
