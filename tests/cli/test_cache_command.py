"""`zoohub cache`, `lock` and `index` as processes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.program import zoohub
from zoohub.cli.cache import parse_period, parse_size
from zoohub.errors import UsageError

INDEX = """family: mine
task: image-classification
default: mine
models:
  mine:
    default: own
    checkpoints:
      own:
        publisher: tests
        format: ckpt
        sources: ['https://files.example/mine.ckpt']
        sha256: {sha256}
"""


@pytest.fixture
def stored() -> Path:
    return Path(zoohub("download", "lenet5@digits", "-q").stdout.strip())


def test_the_store_lists_what_it_holds(stored: Path) -> None:
    (row,) = json.loads(zoohub("cache", "list", "--json").stdout)
    assert row["names"] == ["lenet5@digits"]
    assert row["path"] == str(stored)
    assert row["size"] == stored.stat().st_size


def test_a_damaged_file_is_found_and_repaired(stored: Path) -> None:
    stored.chmod(0o644)
    data = bytearray(stored.read_bytes())
    honest = bytes(data)
    data[1000] ^= 1
    stored.write_bytes(data)
    found = zoohub("cache", "verify", "--json")
    assert found.returncode == 4
    assert [row["state"] for row in json.loads(found.stdout)] == ["damaged"]
    assert not stored.exists()
    stored = Path(zoohub("download", "lenet5@digits", "-q").stdout.strip())
    stored.chmod(0o644)
    stored.write_bytes(data)
    mended = zoohub("cache", "verify", "--repair", "--json")
    assert mended.returncode == 0, mended.stderr
    assert [row["state"] for row in json.loads(mended.stdout)] == ["repaired"]
    assert stored.read_bytes() == honest


def test_removing_asks_unless_told_not_to(stored: Path) -> None:
    asked = zoohub("cache", "remove", "lenet5@digits")
    assert asked.returncode == 2
    assert "-y" in asked.stderr
    assert zoohub("cache", "remove", "lenet5@digits", "--dry-run").returncode == 0
    assert stored.exists()
    assert zoohub("cache", "rm", "lenet5@digits", "-y").returncode == 0
    assert not stored.exists()
    assert zoohub("cache", "remove", "lenet5@digits", "-y").returncode == 1


def test_pruning_says_what_would_go_and_needs_a_limit(stored: Path) -> None:
    assert zoohub("cache", "prune").returncode == 2
    planned = zoohub("cache", "prune", "--max-size", "1K", "--dry-run")
    assert "lenet5@digits" in planned.stdout
    assert stored.exists()
    assert zoohub("cache", "prune", "--older-than", "1h", "-y").returncode == 0
    assert stored.exists()
    assert zoohub("cache", "prune", "--max-size", "1K", "-y").returncode == 0
    assert not stored.exists()


def test_periods_and_sizes_are_read_as_people_write_them() -> None:
    assert parse_period("30d") == 30 * 86400
    assert parse_size("20G") == 20_000_000_000
    assert parse_size("1.5 MB".replace(" ", "")) == 1_500_000
    for wrong in ("30", "soon", "-1d"):
        with pytest.raises(UsageError):
            parse_period(wrong)
    with pytest.raises(UsageError):
        parse_size("big")


def test_a_lock_holds_names_to_their_bytes(tmp_path: Path) -> None:
    lock = tmp_path / "zoohub.lock"
    assert zoohub("lock", "lenet5@digits", "-o", str(lock)).stdout.strip() == str(lock)
    locked = {"ZOOHUB_LOCK": str(lock)}
    assert zoohub("download", "lenet5@digits", **locked).returncode == 0
    other = zoohub("download", "resnet50", **locked)
    assert other.returncode == 1
    assert "not in" in other.stderr


def test_an_index_of_ones_own_is_checked_built_and_compared(tmp_path: Path) -> None:
    folder = tmp_path / "index" / "image-classification"
    folder.mkdir(parents=True)
    (folder / "mine.yaml").write_text(INDEX.format(sha256="'" + "a" * 64 + "'"))
    root = str(tmp_path / "index")
    assert zoohub("index", "check", root).returncode == 0
    old = str(tmp_path / "old.jsonl.gz")
    assert zoohub("index", "build", root, "-o", old).stdout.strip() == old
    (folder / "mine.yaml").write_text(INDEX.format(sha256="'" + "b" * 64 + "'"))
    changes = json.loads(zoohub("index", "diff", old, root, "--json").stdout)
    assert {"mine@own"} == {change["reference"] for change in changes}
    assert {"sha256"} == {change["field"] for change in changes}
    (folder / "mine.yaml").write_text(INDEX.format(sha256="zz"))
    wrong = zoohub("index", "check", root)
    assert wrong.returncode == 1
    assert "mine.yaml:12" in wrong.stdout
    assert wrong.stderr == "1 problem found\n"


def test_a_file_of_ones_own_gets_a_name(stored: Path, tmp_path: Path) -> None:
    environ = {"ZOOHUB_INDEX": str(tmp_path / "own")}
    added = zoohub("index", "add", str(stored), "--name", "lenet5@mine", **environ)
    assert added.stdout.strip() == "lenet5@mine", added.stderr
    assert "lenet5 is yours alone" in added.stderr
    assert "and its checkpoints (lenet5@" in added.stderr
    assert "--name my_lenet5@mine --like lenet5" in added.stderr
    path = zoohub("download", "lenet5@mine", **environ)
    assert Path(path.stdout.strip()).read_bytes() == stored.read_bytes()
    again = zoohub("index", "add", str(stored), "--name", "lenet5@mine", **environ)
    assert again.returncode == 1
    assert "already" in again.stderr
    more = ("--name", "lenet5@more")
    assert "yours alone" not in zoohub("index", "add", str(stored), *more, **environ).stderr
    other = ("--name", "my_lenet5", "--like", "lenet5")
    added = zoohub("index", "add", str(stored), *other, ZOOHUB_INDEX=str(tmp_path / "other"))
    assert added.stdout.strip() == "my_lenet5@own", added.stderr
    assert "yours alone" not in added.stderr
