"""The folder of a run, given to commands that show and fetch models."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from zoohub.cli.main import main

FINISHED = Path(__file__).parents[1] / "data" / "truth" / "detector-finished"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A finished run, named without a path's look from the folder that one works in."""
    shutil.copytree(FINISHED, tmp_path / "runs" / "my flowers")
    monkeypatch.chdir(tmp_path)
    return "runs/my flowers"


def test_what_info_advises_of_a_run_names_its_folder(
    run: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in (run, f"./{run}"):
        assert main(["info", name]) == 0
        said = capsys.readouterr().out
        assert "  zoohub predict './runs/my flowers' picture.jpg" in said
        assert "  net = zoohub.load('./runs/my flowers')" in said
        assert f"weights       {Path(run, 'weights.ckpt').absolute()}" in said
        for wrong in ("zoohub download", "declared by the publisher", "in the store"):
            assert wrong not in said


def test_inspecting_a_run_lists_its_weights(run: str, capsys: pytest.CaptureFixture[str]) -> None:
    for name in (run, f"./{run}"):
        assert main(["inspect", name]) == 0
        captured = capsys.readouterr()
        assert "model.model.0.conv.weight" in captured.out
        assert "runs/my flowers/weights.ckpt" in captured.err


def test_a_path_is_not_downloaded_and_one_line_says_so(
    run: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in (run, f"./{run}"):
        assert main(["download", name]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert "is a run's folder: its weights are here, " in line
    assert main(["download", "./nothing"]) == 2
    assert "./nothing is a path; models are downloaded by" in capsys.readouterr().err
