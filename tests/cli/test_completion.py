"""Shell completion: what may follow, and that bash really takes it."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from zoohub.cli.completion import BASH, suggestions
from zoohub.cli.main import VERBS


def test_commands_and_the_names_people_guess_come_first() -> None:
    assert suggestions(["do"]) == ["doctor", "download"]
    assert set(VERBS) <= set(suggestions([""]))
    assert suggestions(["cache", "pr"]) == ["prune"]


def test_options_are_those_of_the_command_named() -> None:
    assert "--runnable" in suggestions(["list", "--"])
    assert "--runnable" not in suggestions(["info", "--"])
    assert suggestions(["list", "--sort", ""]) == ["metric", "name", "size"]
    assert suggestions(["export", "lenet5", "--format", "on"]) == ["onnx"]
    assert suggestions(["predict", "yolov5s", "--to"]) == ["--top", "--top-k", "--top-p"]
    assert suggestions(["predict", "yolov5s", "--format", "co"]) == ["coco"]


def test_models_are_offered_where_a_model_stands_and_nowhere_else() -> None:
    assert "resnet50" in suggestions(["info", "resnet5"])
    assert "lenet5@digits" in suggestions(["predict", "lenet5@d"])
    assert suggestions(["predict", "ocr@p"]) == ["ocr@printed"]
    assert suggestions(["predict", "lenet5", "len"]) == []
    assert "resnet50" in suggestions(["download", "lenet5", "--jobs", "4", "resnet5"])
    assert suggestions(["info", "no-such-model@"]) == []


def test_bash_completes_a_checkpoint_although_it_breaks_words_at_the_at_sign(
    tmp_path: Path,
) -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("no bash here")
    program = tmp_path / "zoohub"
    code = "from zoohub.cli.main import entry_point; entry_point()"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -c "{code}" "$@"\n')
    program.chmod(0o755)
    script = f"""{BASH}
COMP_LINE='zoohub info lenet5@di'; COMP_POINT=${{#COMP_LINE}}
COMP_WORDS=(zoohub info lenet5 @ di); COMP_CWORD=4
_zoohub; printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [bash, "-c", script], env={**os.environ, "PATH": path}, capture_output=True, text=True
    )
    assert (done.stdout.split(), done.stderr) == (["digits"], "")
