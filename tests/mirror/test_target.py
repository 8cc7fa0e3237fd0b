"""A folder and fsspec's file systems behave alike as a mirror's place."""

from __future__ import annotations

import builtins
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from zoohub.errors import MirrorError
from zoohub.mirror.target import Folder, Target, open_target


@pytest.fixture(params=["folder", "file URL", "fsspec"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Target]:
    if request.param == "folder":
        yield open_target(str(tmp_path / "mirror"))
    elif request.param == "file URL":
        yield open_target((tmp_path / "mirror").as_uri())
    else:
        fsspec = pytest.importorskip("fsspec")
        memory = fsspec.filesystem("memory")
        memory.store.clear()
        memory.makedirs("/place", exist_ok=True)
        yield open_target("memory://place/mirror")
        memory.store.clear()


def test_an_empty_place_has_no_files_and_reads_none(target: Target) -> None:
    assert target.sizes() == {}
    assert target.read("manifest.json") is None
    target.remove("nothing")


def test_what_is_written_is_listed_read_and_removed(target: Target, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"12345")

    target.write("manifest.json", b"{}")
    target.place("host/a b/ü.ckpt", source, keep=True)

    assert target.sizes() == {"manifest.json": 2, "host/a b/ü.ckpt": 5}
    assert source.read_bytes() == b"12345"
    with target.open("host/a b/ü.ckpt") as stream:
        assert stream.read() == b"12345"
    target.write("manifest.json", b"{ }")
    assert target.read("manifest.json") == b"{ }"
    target.remove("host/a b/ü.ckpt")
    assert target.sizes() == {"manifest.json": 3}


def test_a_file_placed_for_good_leaves_nothing_behind(target: Target, tmp_path: Path) -> None:
    work = target.work(tmp_path / "home")
    work.mkdir(parents=True)
    source = work / "source"
    source.write_bytes(b"12345")

    target.place("host/x.ckpt", source, keep=False)

    assert target.read("host/x.ckpt") == b"12345"
    assert not source.exists()


def test_reading_through_a_missing_file_is_a_mirror_error(target: Target) -> None:
    with pytest.raises(MirrorError), target.open("host/none.ckpt") as stream:
        stream.read()


def test_a_kept_file_is_copied_where_it_cannot_be_linked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    source = tmp_path / "source"
    source.write_bytes(b"12345")
    target = Folder(tmp_path / "mirror")

    target.place("host/x.ckpt", source, keep=True)

    assert not (tmp_path / "mirror" / "host" / "x.ckpt").samefile(source)
    assert target.read("host/x.ckpt") == b"12345"


def test_a_folder_needs_no_fsspec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    genuine = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == "fsspec":
            raise ImportError(name)
        return genuine(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)

    assert isinstance(open_target(str(tmp_path)), Folder)
    with pytest.raises(MirrorError, match=r"zoohub\[mirror\]"):
        open_target("s3://bucket/zoo")


@pytest.mark.parametrize(
    "url", ["http://h/zoo", "https://h/zoo", "file://elsewhere/zoo", "odd://x"]
)
def test_a_place_that_cannot_be_written_is_refused(url: str) -> None:
    with pytest.raises(MirrorError):
        open_target(url)
