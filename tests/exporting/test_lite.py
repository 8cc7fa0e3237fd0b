from __future__ import annotations

from pathlib import Path

import pytest

from zoohub.errors import ExportError
from zoohub.exporting.lite import convert_to_lite, lite_command


def test_the_command_names_the_framework_and_both_files() -> None:
    assert lite_command(Path("out/a.mindir")) == (
        "converter_lite",
        "--fmk=MINDIR",
        "--modelFile=out/a.mindir",
        "--outputFile=out/a",
    )
    assert lite_command(Path("a.onnx"))[1] == "--fmk=ONNX"


def test_without_the_converter_the_command_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ExportError, match="converter_lite --fmk=MINDIR '--modelFile=a b"):
        convert_to_lite(Path("a b.mindir"))


@pytest.mark.parametrize(("code", "works"), [(0, True), (1, False)])
def test_the_converter_is_run_where_it_is(
    code: int, works: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    converter = tmp_path / "converter_lite"
    converter.write_text(
        '#!/bin/sh\nfor word; do case "$word" in --outputFile=*) '
        f'echo made > "${{word#--outputFile=}}.ms";; esac; done\necho CONVERTED; exit {code}\n'
    )
    converter.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    if works:
        assert convert_to_lite(tmp_path / "a.mindir").read_text() == "made\n"
    else:
        with pytest.raises(ExportError, match="failed with code 1: CONVERTED"):
            convert_to_lite(tmp_path / "a.mindir")
