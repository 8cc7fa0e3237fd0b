"""The demo takes the real road, without the internet."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from zoohub.cli.main import main
from zoohub.demo import PAGE, REFERENCE, block_art, drawing, put_pictures, run_demo
from zoohub.errors import DataError
from zoohub.settings import load_settings
from zoohub.tasks.results import Label, Prediction

README_PICTURES = ("digit-0070-is-1.png", "digit-0105-is-9.png")


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


def test_the_demos_pictures_are_put_where_the_reader_has_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = put_pictures(tmp_path / "new" / "folder")
    assert put_pictures(tmp_path / "new" / "folder") == paths  # again does no harm
    assert len(paths) == 13
    assert paths[-1].name == PAGE
    assert sorted(paths[0].parent.iterdir()) == paths
    one, nine = (next(p for p in paths if p.name == n) for n in README_PICTURES)
    assert main(["predict", "lenet5@digits", str(one), str(nine), "--top", "1", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["predictions"][0]["label"] for row in rows] == ["1", "9"]
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="cannot be put into"):
        put_pictures(tmp_path / "file")


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
    if all(importlib.util.find_spec(name) for name in ("cv2", "pyclipper", "shapely")):
        assert result.page is not None
        assert "    From a name to a network" in lines


def test_without_the_libraries_it_says_what_would_read_a_page(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("zoohub.demo._OCR", ("no_such_library",))
    lines: list[str] = []
    result = run_demo(load_settings(), write=lines.append, draw=False)
    assert (result.page, result.to_json()["page"]) == (None, None)
    assert "\nWith zoohub[ocr] the demo reads a page too, by ocr@printed" in lines


def test_the_command_prints_lines_and_no_marks_of_lines(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["demo", "--offline"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{REFERENCE}: from a name to a working network, without the internet"
    assert lines[1] == ""
    assert not [line for line in lines if "\\n" in line]
