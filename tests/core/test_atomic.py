"""Files are whole or not there, temporary names are nobody's guess, and no change is lost."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from zoohub.core import atomic
from zoohub.core.atomic import (
    change,
    copy_whole,
    folder_beside,
    fresh_name,
    leftovers,
    open_new,
    remove_leftovers,
    replace_unchanged,
    replacing,
    standing_in,
    write_whole,
)
from zoohub.errors import IntegrityError


def names(folder: Path) -> list[str]:
    """All files, but for what every test's home is."""
    return sorted(path.name for path in folder.iterdir() if path.name != "home")


def test_a_temporary_name_is_never_the_same_and_never_too_long(tmp_path: Path) -> None:
    found = {fresh_name(tmp_path / "m-c1.ckpt").name for _ in range(100)}
    assert len(found) == 100
    assert len(os.fsencode(fresh_name(tmp_path / ("é" * 120)).name)) <= 255


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_what_lies_there_already_is_neither_written_to_nor_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (tmp_path / "link").symlink_to(victim)
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    for name in ("link", "dangling", "victim"):
        with pytest.raises(FileExistsError):
            open_new(tmp_path / name)
    assert victim.read_text() == "mine"
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_a_link_under_the_right_name_is_replaced_not_written_through(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (tmp_path / "out").symlink_to(victim)
    write_whole(tmp_path / "out", b"new")
    assert (victim.read_text(), (tmp_path / "out").read_bytes()) == ("mine", b"new")


@pytest.mark.parametrize("writer", [replacing, standing_in])
def test_an_error_leaves_the_old_content_and_nothing_else(tmp_path: Path, writer) -> None:
    target = tmp_path / "out"
    target.write_bytes(b"old")

    def fail() -> None:
        with writer(target) as fresh:
            (fresh.write_bytes if isinstance(fresh, Path) else fresh.write)(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert names(tmp_path) == ["out"]
    assert target.read_bytes() == b"old"


def test_a_copy_of_a_damaged_file_is_not_made(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(b"damaged")
    with pytest.raises(IntegrityError, match="was not written"):
        copy_whole(tmp_path / "in", tmp_path / "out", sha256=hashlib.sha256(b"right").hexdigest())
    assert names(tmp_path) == ["in"]


def test_a_file_that_changed_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    target = tmp_path / "state"
    assert replace_unchanged(target, None, b"1")
    assert not replace_unchanged(target, None, b"2")
    assert not replace_unchanged(target, b"0", b"2")
    assert replace_unchanged(target, b"1", b"2")
    assert names(tmp_path) == ["state"]


ADD = """
import json, sys
from pathlib import Path
from zoohub.core.atomic import change
for number in range(10):
    key = f"{sys.argv[2]}-{number}"
    change(Path(sys.argv[1]), lambda b: json.dumps({**json.loads(b or b"{}"), key: 1}).encode())
"""


def test_of_eight_processes_that_change_a_file_at_once_none_loses_anothers(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    command = [sys.executable, "-c", ADD, str(file)]
    processes = [subprocess.Popen([*command, str(number)]) for number in range(8)]
    assert [process.wait(60) for process in processes] == [0] * 8
    assert len(json.loads(file.read_bytes())) == 80
    assert names(tmp_path) == ["state.json"]


def test_what_a_crash_left_between_look_and_rename_holds_nobody_up_for_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(atomic, "_GUARD_SECONDS", 0.1)
    made = []
    original = atomic.open_new
    monkeypatch.setattr(atomic, "open_new", lambda p, *a: made.append(p) or original(p, *a))
    change(tmp_path / "state", lambda _: b"1")
    (guard,) = [path for path in made if path.suffix == ".swap"]
    guard.touch()
    assert change(tmp_path / "state", lambda _: b"2") == b"2"


def test_left_over_temporary_files_are_known_by_their_names_and_age(tmp_path: Path) -> None:
    old = time.time() - 7200
    ours = [fresh_name(tmp_path / "a.ckpt"), tmp_path / "b.json.1234abcd.new", tmp_path / "c.tmp"]
    for path in [*ours, tmp_path / "kept.ckpt", tmp_path / ".hidden"]:
        path.touch()
        os.utime(path, (old, old))
    fresh_name(tmp_path / "young").touch()
    assert leftovers(tmp_path, now=time.time()) == ours[:1]
    assert leftovers(tmp_path, now=time.time(), own=True) == sorted(ours)


def test_a_folder_beside_a_file_goes_and_a_killed_processs_a_day_later(tmp_path: Path) -> None:
    with folder_beside(tmp_path / "a.onnx") as folder:
        (folder / "a.onnx").touch()
        assert folder.parent == tmp_path
    assert names(tmp_path) == []
    killed, users = fresh_name(tmp_path / "a.onnx"), tmp_path / "old.tmp"
    for made in (killed, users):
        made.mkdir()
        (made / "a.onnx").touch()
    for hours, left in ((2, {killed, users}), (25, {users})):
        for made in (killed, users):
            os.utime(made, (time.time() - hours * 3600,) * 2)
        remove_leftovers(tmp_path, own=True)
        assert set(tmp_path.iterdir()) - {tmp_path / "home"} == left
