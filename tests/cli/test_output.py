"""What strangers wrote never acts on the terminal, and trouble with stdout is one line."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.program import zoohub
from zoohub.cli.output import Output, cut, fit_widths, one_line, pad
from zoohub.core.escaping import columns, shown

HOSTILE = [
    *("\x1b]0;pwned\x07", "\x1b[2J", "\x9b31m", "\x9d0;x\x9c", "\u202egnp.exe", "\u2066x\u2069"),
    *(
        "a\nb",
        "a\rb",
        "a\x85b",
        "a\u2028b",
        "a\u2029b",
        "\x7f",
        "\x00",
        "\ud800",
        "\u200b",
        "\ufeff",
    ),
]
BAD = ["\x1b", "\x07", "\x9b", "\x9d", "\u202e", "\u2066", "\r", "\x85", "\u2028", "\ud800", "\x00"]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("way", ["data", "talk", "error", "row", "table"])
def test_nothing_that_acts_on_a_terminal_reaches_it(text: str, way: str) -> None:
    out, err = io.StringIO(), io.StringIO()
    output = Output(stdout=out, stderr=err)
    if way == "row":
        output.rows([[text, text]])
    elif way == "table":
        output.table(("A",), [(text,)])
    else:
        getattr(output, way)(text)
    said = out.getvalue() + err.getvalue()
    assert not [letter for letter in BAD if letter in said]
    assert said.count("\n") == {"talk": 1 + text.count("\n"), "table": 2}.get(way, 1)


@pytest.mark.parametrize("text", [*HOSTILE, "人脸 é 😀"])
def test_json_is_ascii_whatever_is_in_it(text: str) -> None:
    out = io.StringIO()
    Output(stdout=out).json([{text: text}])
    assert out.getvalue().isascii()
    assert json.loads(out.getvalue()) == [{text: text}]


def test_visible_characters_of_all_scripts_stay() -> None:
    text = "人脸　检测 é ß 😀 👩\u200d🔬 ‘x’ …"
    assert shown(text) == text


@pytest.mark.parametrize(
    "command",
    [("list",), ("list", "--json"), ("info", "yolov5"), ("cache", "dir"), ("--help",),
     ("predict", "--help"), ("--version",), ("completion", "bash")],
)  # fmt: skip
@pytest.mark.parametrize("stdout", [">&-", "> /dev/full"])
def test_a_stdout_that_takes_nothing_is_one_line(command: tuple[str, ...], stdout: str) -> None:
    if "full" in stdout and not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    code = "from zoohub.cli.main import entry_point; entry_point()"
    words = " ".join(command)
    done = subprocess.run(
        ["bash", "-c", f"exec {sys.executable} -c '{code}' {words} {stdout}"],
        capture_output=True,
        text=True,
        check=False,
    )
    (line,) = done.stderr.splitlines()
    assert line.startswith("zoohub: the output cannot be written")
    assert done.returncode == 1


@pytest.mark.parametrize("encoding", ["ascii", "gbk", "iso-8859-1", "utf-8"])
def test_an_encoding_that_lacks_a_character_is_no_trouble(encoding: str) -> None:
    code = "from zoohub.cli.main import entry_point; entry_point()"
    done = subprocess.run(
        [sys.executable, "-c", code, "info", "lenet5@digits"],
        env={**os.environ, "PYTHONIOENCODING": encoding},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert "lenet5" in done.stdout.decode(encoding)


@pytest.mark.parametrize("width", [20, 40, 60, 200])
def test_a_name_is_never_cut(width: int) -> None:
    widths = fit_widths([24, 22, 14, 10, 8, 5, 4], width)
    assert widths[0] == 24
    left = [w for w in widths if w]
    assert sum(left) + 2 * (len(left) - 1) <= max(width, 24)


def test_wide_characters_count_twice() -> None:
    assert columns("人脸") == 4
    assert cut("人脸检测", 5) == "人脸…"
    assert pad("人", 4) == "人  "


@pytest.mark.parametrize(
    ("arguments", "status", "word"),
    [
        *(((), 2, "COMMAND"), (("help",), 0, "COMMAND"), (("cache",), 2, "prune")),
        *((("mirror",), 2, "serve"), (("index",), 2, "check"), (("help", "list"), 0, "--sort")),
    ],
)
def test_a_command_by_itself_says_what_there_is(
    arguments: tuple[str, ...], status: int, word: str
) -> None:
    done = zoohub(*arguments)
    assert (done.returncode, done.stderr) == (status, "")
    assert word in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        *(("list", "--limit", "-1"), ("list", "--limit", "²"), ("search", "x", "--limit", "0")),
        *(("list", "--limit", "9" * 5000), ("download", "lenet5", "--jobs", "-3")),
        *(("cache", "verify", "--jobs", "0"), ("mirror", "serve", "m", "--port", "99999")),
        *(("predict", "lenet5", "x.png", "--device", "gpu"), ("list", "--sort", "\x1b[2J")),
        ("predict", "lenet5", "x.png", "--device", "ascend:²"),
    ],
)
def test_a_value_that_makes_no_sense_is_one_line_and_a_usage_error(
    arguments: tuple[str, ...],
) -> None:
    done = zoohub(*arguments)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "\x1b" not in done.stderr


@pytest.mark.parametrize("device", ["gpu", "cpu:1", "ascend:", "ascend:²", "ascend:-1", "0"])
def test_the_environments_device_obeys_the_same_rule(device: str) -> None:
    done = zoohub("list", "lenet5", ZOOHUB_DEVICE=device)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "write cpu, ascend or ascend:N" in done.stderr


def test_offline_is_no_matter_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    from zoohub.cli.main import main

    monkeypatch.delenv("ZOOHUB_OFFLINE", raising=False)
    assert main(["download", "lenet5", "--offline", "-q"]) == 5
    assert "ZOOHUB_OFFLINE" not in os.environ


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX's")
@pytest.mark.parametrize("after", [0.5, 1.1, 1.9, 2.6, 3.2])
def test_ctrl_c_at_any_moment_is_one_line_and_130(after: float) -> None:
    import zoohub as package

    picture = next((Path(package.__file__).parent / "_data" / "digits").glob("*.png"))
    process = subprocess.Popen(
        [sys.executable, "-m", "zoohub", "predict", "lenet5@digits", str(picture)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    time.sleep(after)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode in (0, 130), err
    said = [line for line in err.splitlines() if not line.startswith("compiling ")]
    assert process.returncode == 0 or said == ["zoohub: interrupted"]


def test_an_errors_lines_become_one_with_stops_between_them() -> None:
    text = "it is not there.\n  tried: a\n  tried: b\n\nLook elsewhere, or\n  wait"
    assert one_line(text) == "it is not there. tried: a; tried: b. Look elsewhere, or; wait"
