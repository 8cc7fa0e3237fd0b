"""`zoohub mirror` as people use it: what it prints, asks and returns."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from zoohub.cli.main import main
from zoohub.cli.mirror import size_of
from zoohub.manifest.interchange import Header, write_interchange

START = "from zoohub.cli.main import entry_point; entry_point()"
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def zoohub(
    zoo: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Run a command line with an index of the test's own zoo in front of the built-in one."""
    index = tmp_path / "index.jsonl.gz"
    monkeypatch.setenv("ZOOHUB_INDEX", str(index))

    def run(*arguments: str) -> tuple[int, str, str]:
        write_interchange(index, Header(), (zoo.documents[m] for m in sorted(zoo.documents)))
        code = main([*arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return run


def test_sync_says_what_it_did_and_a_second_one_that_nothing_is_to_do(
    zoohub: Run, zoo: Any, tmp_path: Path
) -> None:
    for name in ("ournet_a", "ournet_b", "another"):
        zoo.add(name)
    root = tmp_path / "mirror"

    code, out, err = zoohub("mirror", "sync", str(root), "ournet_*", "--jobs", "2")

    assert (code, out) == (0, "")
    assert re.fullmatch(
        rf"{root}: 2 files added \(10\.0 kB\), 0 up to date, 0 left out; serial \d+\n", err
    )
    assert sorted(p.name for p in (root / "127.0.0.1").iterdir()) == ["ournet_a", "ournet_b"]
    code, out, err = zoohub("mirror", "sync", str(root), "ournet_*")
    assert err.endswith("nothing to publish\n")
    assert "0 files added (0 B), 2 up to date" in err


def test_a_plain_name_means_what_it_means_elsewhere(zoohub: Run, zoo: Any, tmp_path: Path) -> None:
    for name in ("ournet_a", "ournet_b"):
        zoo.add(name)
    (id,) = (checkpoint["id"] for checkpoint in zoo.documents["ournet_b"]["checkpoints"])
    root = tmp_path / "mirror"
    assert zoohub("mirror", "sync", str(root), "OURNET-A")[0] == 0
    assert [p.name for p in (root / "127.0.0.1").iterdir()] == ["ournet_a"]
    assert zoohub("mirror", "sync", str(root), f"ournet_b@{id}")[0] == 0
    assert sorted(p.name for p in (root / "127.0.0.1").iterdir()) == ["ournet_a", "ournet_b"]
    code, _, err = zoohub("mirror", "sync", str(root), "ournet_c")
    assert code == 1
    assert "no model is called 'ournet_c'; closest are ournet_" in err


def test_sync_as_json_is_a_row_for_each_file(zoohub: Run, zoo: Any, tmp_path: Path) -> None:
    zoo.add("ournet_a")
    zoo.add("ournet_b")
    (zoo.root / "ournet_b" / "ournet_b.ckpt").write_bytes(b"wrong")

    code, out, _ = zoohub("mirror", "sync", str(tmp_path / "m"), "ournet*", "--json", "-q")

    rows = json.loads(out)
    assert [(row["reference"], row["action"]) for row in rows] == [
        ("ournet_a@lab", "fetched"),
        ("ournet_b@lab", None),
    ]
    assert "5 bytes" in rows[1]["error"]
    assert code == 3


def test_a_dry_run_lists_paths_and_writes_nothing(zoohub: Run, zoo: Any, tmp_path: Path) -> None:
    zoo.add("ournet_a")

    code, out, err = zoohub("mirror", "sync", str(tmp_path / "m"), "ournet*", "--dry-run")

    assert (code, out) == (0, "127.0.0.1/ournet_a/ournet_a.ckpt\n")
    assert err == "1 file to fetch (5.0 kB), 0 up to date, 0 left out\n"
    assert not (tmp_path / "m").exists()


def test_a_dry_run_tells_unknown_sizes_and_why_files_are_left_out(
    zoohub: Run, zoo: Any, tmp_path: Path
) -> None:
    zoo.add("ournet_a", declared="prefix")
    zoo.add("ournet_b")
    arguments = ("mirror", "sync", str(tmp_path / "m"), "ournet*", "--dry-run")

    assert zoohub(*arguments)[2].startswith("2 files to fetch (5.0 kB, and 1 of unknown size), ")
    _, _, err = zoohub(*arguments, "--max-size", "1000")
    assert err == (
        "1 file to fetch (1 of unknown size), 0 up to date, "
        "1 left out (larger than --max-size; -v names them)\n"
    )
    assert "left out ournet_b@lab: larger" in zoohub("-v", *arguments, "--max-size", "1000")[2]


def test_options_may_stand_anywhere(zoohub: Run, zoo: Any, tmp_path: Path) -> None:
    zoo.add("ournet_a")
    root = str(tmp_path / "m")

    for arguments in (
        ["mirror", "sync", root, "--dry-run", "ournet*"],
        ["mirror", "sync", "--dry-run", root, "ournet*", "--jobs=1"],
        ["mirror", "--json", "sync", root, "ournet*", "--dry-run"],
    ):
        code, out, _ = zoohub(*arguments)
        assert (code, "ournet_a.ckpt" in out) == (0, True)
        assert out.startswith("[") == ("--json" in arguments)


def test_every_help_ends_with_examples(zoohub: Run) -> None:
    for action in ("sync", "verify", "prune", "add", "serve", "keygen"):
        code, out, _ = zoohub("mirror", action, "--help")
        assert code == 0
        assert out.splitlines()[-1].startswith(f"  zoohub mirror {action} ")


def test_a_pattern_that_fits_nothing_is_an_error(zoohub: Run, zoo: Any, tmp_path: Path) -> None:
    zoo.add("ournet_a")

    code, _, err = zoohub("mirror", "sync", str(tmp_path / "m"), "ournet*", "misspelt*")

    assert code == 1
    assert "no model fits 'misspelt*'" in err


def test_verify_names_what_is_wrong_and_exits_4_until_it_is_repaired(
    zoohub: Run, zoo: Any, tmp_path: Path
) -> None:
    data = zoo.add("ournet_a")
    root = tmp_path / "m"
    zoohub("mirror", "sync", str(root), "ournet*")
    file = root / "127.0.0.1" / "ournet_a" / "ournet_a.ckpt"
    file.chmod(0o644)
    file.write_bytes(data[::-1])

    code, out, err = zoohub("mirror", "verify", str(root))
    assert (code, out) == (4, "damaged  127.0.0.1/ournet_a/ournet_a.ckpt\n")
    assert "--repair" in err
    code, out, err = zoohub("mirror", "verify", str(root), "--repair", "--json")
    assert code == 0
    (row,) = json.loads(out)
    assert row["repaired"] is True
    assert row["got"] != row["expected"]
    assert zoohub("mirror", "verify", str(root))[:2] == (0, "")
    assert file.read_bytes() == data


def test_prune_asks_and_without_somebody_to_ask_refuses(
    zoohub: Run, zoo: Any, tmp_path: Path
) -> None:
    zoo.add("ournet_a")
    root = tmp_path / "m"
    zoohub("mirror", "sync", str(root), "ournet*")
    (root / "stranger").write_bytes(b"123")

    code, _, err = zoohub("mirror", "prune", str(root))
    assert code == 2
    assert "Remove 1 file (3 B)" in err
    assert zoohub("mirror", "prune", str(root), "--dry-run")[:2] == (0, "stranger\n")
    assert (root / "stranger").is_file()
    code, out, err = zoohub("mirror", "prune", str(root), "-y")
    assert (code, out, err) == (0, "stranger\n", "1 file (3 B) and 0 models removed\n")
    assert not (root / "stranger").exists()


def test_a_key_is_made_and_signs(zoohub: Run, zoo: Any, tmp_path: Path) -> None:
    zoo.add("ournet_a")
    key = tmp_path / "zoo.key"

    code, public, err = zoohub("mirror", "keygen", str(key))
    assert code == 0
    assert public.startswith("ed25519:")
    assert f"ZOOHUB_TRUSTED_KEYS={public}" in err
    assert zoohub("mirror", "keygen", str(key))[0] == 1
    root = tmp_path / "m"
    assert zoohub("mirror", "sync", str(root), "ournet*", "--sign", str(key))[0] == 0
    assert json.loads((root / "manifest.json.sig").read_text())["key"] == public.strip()
    zoo.add("ournet_b")
    code, _, err = zoohub("mirror", "sync", str(root), "ournet*")
    assert code == 1
    assert "is signed; give the key again" in err


def test_what_is_no_mirror_and_cannot_be_one_is_told(zoohub: Run, tmp_path: Path) -> None:
    assert "is no mirror" in zoohub("mirror", "verify", str(tmp_path))[2]
    assert "can be read but not written" in zoohub("mirror", "sync", "https://h/zoo")[2]
    assert "cannot be used" in zoohub("mirror", "sync", "nonsense://h/zoo", "x")[2]


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("500", 500),
        ("1k", 1000),
        ("500M", 500_000_000),
        ("1.5GB", 1_500_000_000),
        ("2 T", 2 * 10**12),
    ],
)
def test_sizes_are_read_in_powers_of_1000(text: str, size: int) -> None:
    assert size_of(text) == size


@pytest.mark.parametrize("text", ["", "big", "-1", "1X", "1MiB"])
def test_what_is_no_size_is_a_usage_error(zoohub: Run, text: str, tmp_path: Path) -> None:
    assert zoohub("mirror", "sync", str(tmp_path), f"--max-size={text}")[0] == 2


def test_serve_prints_its_address_answers_and_stops_with_ctrl_c(
    zoohub: Run, zoo: Any, tmp_path: Path
) -> None:
    data = zoo.add("ournet_a")
    root = tmp_path / "m"
    zoohub("mirror", "sync", str(root), "ournet*")
    process = subprocess.Popen(
        [sys.executable, "-c", START, "mirror", "serve", str(root), "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        assert process.stdout
        address = process.stdout.readline().strip()
        match = re.fullmatch(r"http://127\.0\.0\.1:(\d+)", address)
        assert match
        connection = http.client.HTTPConnection("127.0.0.1", int(match[1]), timeout=10)
        connection.request("GET", "/127.0.0.1/ournet_a/ournet_a.ckpt")
        assert connection.getresponse().read() == data
        connection.close()
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.communicate()
