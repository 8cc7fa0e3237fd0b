"""The demo takes the real road, without the internet."""

from __future__ import annotations

import numpy as np

from zoohub.demo import REFERENCE, block_art, drawing, run_demo
from zoohub.inference import Label, Prediction
from zoohub.settings import load_settings


def test_a_digit_is_drawn_two_rows_to_a_line() -> None:
    picture = np.array([[255, 0], [0, 255], [255, 0], [255, 0]], np.uint8)
    assert block_art(picture) == ["▀▄", "█ "]


def test_a_wrong_prediction_is_drawn_with_the_right_digit() -> None:
    picture = np.zeros((2, 8), np.uint8)
    predictions = [Prediction("a", (Label("3", 3, 0.75),))]
    assert list(drawing([picture], predictions, ["5"], True)) == [
        " " * 10,
        "  3≠5 75% ".rstrip(),
        "",
    ]
    assert next(drawing([picture], predictions, ["5"], False)).strip() == "3!=5 75%"


def test_the_demo_is_right_about_98_in_100_digits_it_never_saw() -> None:
    lines: list[str] = []
    settings = load_settings()
    result = run_demo(settings, write=lines.append, draw=True)
    text = "\n".join(lines)
    assert result.reference == REFERENCE
    assert result.accuracy >= 0.98
    assert result.count == 360
    assert len(result.predictions) == len(result.truth) == 12
    assert result.path.is_relative_to(settings.home)
    assert str(result.path) in text
    assert f"accuracy {result.accuracy:.4f}" in text
    assert result.to_json()["sha256"] == result.sha256
