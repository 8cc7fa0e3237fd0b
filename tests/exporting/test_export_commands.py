"""`zoohub export` and `zoohub convert`, as a user types them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import zoohub
from zoohub.cli.main import main
from zoohub.errors import ExportError


@pytest.fixture(autouse=True)
def _one_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOOHUB_HOME", str(home))


def test_export_prints_the_path_alone_and_says_the_difference(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], onnxruntime: Any
) -> None:
    target = tmp_path / "digits.onnx"
    command = ["export", "lenet5@digits", "--output", str(target), "--check", "--offline"]
    assert main([*command, "--dynamic", "batch"]) == 0
    said = capsys.readouterr()
    assert said.out == f"{target}\n"
    assert "opset 17, outputs logits" in said.err
    assert "largest difference from MindSpore" in said.err
    assert target.is_file()


def test_export_names_the_file_after_model_and_checkpoint(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["export", "lenet5@digits", "--format", "mindir", "--offline", "--json"]) == 0
    said = capsys.readouterr()
    (row,) = json.loads(said.out)
    assert row["path"] == "lenet5-digits.mindir"
    assert (row["format"], row["outputs"], row["difference"]) == ("mindir", ["logits"], None)
    assert "converter_lite --fmk=MINDIR --modelFile=lenet5-digits.mindir" in said.err


def test_a_refused_export_is_one_line_and_exit_code_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "a.air"
    assert main(["export", "lenet5@digits", "--output", str(target), "--offline"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert said.err.startswith("zoohub: AIR can be written only where MindSpore runs on Ascend")


def test_an_export_does_not_take_the_place_of_the_weights_it_comes_from(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = tmp_path / "mine.safetensors"
    own.write_bytes(b"weights of hours")
    command = ["export", "lenet5", "--checkpoint", str(own), "--output", str(own)]
    assert main(command) == 1
    assert "cannot be exported into itself; give another --output" in capsys.readouterr().err
    with pytest.raises(ExportError, match="cannot be exported into itself"):
        zoohub.export("lenet5", own, checkpoint=own)
    assert own.read_bytes() == b"weights of hours"


def test_air_is_refused_where_there_is_no_ascend_before_anything_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["export", "lenet5@digits", "--format", "air", "--offline"]
    assert main([*command, "--output", str(tmp_path / "sub" / "a.air")]) == 1
    error = capsys.readouterr().err
    assert "(this process runs on CPU)" in error
    assert "run the same command on an Ascend machine" in error
    assert "export a mindir here" in error
    assert not list(tmp_path.rglob("*.air"))
    assert main([*command, "--output", str(tmp_path / "a.air"), "--check"]) == 1
    assert "can be neither checked here" in capsys.readouterr().err


@pytest.mark.parametrize("format", ["mindir", "onnx"])
def test_the_lite_converter_is_run_with_the_files_where_it_is_installed(
    format: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    onnxruntime: Any,
) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    converter = tools / "converter_lite"  # the real one cannot be installed here
    converter.write_text(
        '#!/bin/sh\nfor word; do echo "$word" >> "$0.arguments"; case "$word" in\n'
        '--modelFile=*) test -s "${word#--modelFile=}" || exit 3;;\n'
        '--outputFile=*) echo made > "${word#--outputFile=}.ms";; esac; done\n'
    )
    converter.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:/usr/bin:/bin")
    target = tmp_path / f"the digits.{format}"
    assert main(["export", "lenet5@digits", "--output", str(target), "--lite", "--offline"]) == 0
    made = target.with_suffix(".ms")
    assert capsys.readouterr().out == f"{target}\n{made}\n"
    assert made.read_text() == "made\n"
    assert (tools / "converter_lite.arguments").read_text().splitlines() == [
        f"--fmk={format.upper()}",
        f"--modelFile={target}",
        f"--outputFile={tmp_path / 'the digits'}",
    ]


@pytest.mark.parametrize(
    "options", [["--size", "0x5"], ["--size", "1x2x3"], ["--format", "tflite"], []]
)
def test_a_command_that_makes_no_sense_is_a_usage_error(options: list[str]) -> None:
    assert main(["export", "lenet5@digits", "--offline", *options]) == 2


def test_convert_prints_the_path_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own, there = tmp_path / "own.ckpt", tmp_path / "there.safetensors"
    assert main(["export", "lenet5@digits", "--output", str(own), "--offline"]) == 0
    capsys.readouterr()
    assert main(["convert", str(own), "--to", "safetensors", "--output", str(there)]) == 0
    said = capsys.readouterr()
    assert said.out == f"{there}\n"
    assert said.err == "8 tensors, 0 renamed, 0 left out\n"
    assert main(["convert", str(there), "--to", "ckpt", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == [
        {
            "path": str(tmp_path / "there.ckpt"),
            "format": "ckpt",
            "tensors": 8,
            "renamed": 0,
            "left_out": [],
        }
    ]
    assert (tmp_path / "there.ckpt").stat().st_size == own.stat().st_size
