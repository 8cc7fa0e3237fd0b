"""Caches heal, and what an index once said of a file is not forgotten."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from zoohub.core import notes
from zoohub.errors import ManifestError
from zoohub.manifest.database import Database
from zoohub.manifest.interchange import Header, read_header, write_interchange
from zoohub.manifest.opening import open_index
from zoohub.settings import load_settings


@pytest.mark.parametrize("count", [1, 30, 3000])
def test_a_compiled_index_with_wrong_bytes_is_made_again(
    count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(notes, "listener", said.append)
    settings = load_settings()
    open_index(settings)
    (file,) = (settings.home / "index").glob("*.sqlite")
    data = bytearray(file.read_bytes())
    chance = random.Random(count)
    for _ in range(count):
        data[chance.randrange(100, len(data))] ^= 255
    file.unlink()
    file.write_bytes(data)

    assert open_index(settings).resolve("lenet5").entry.model == "lenet5"
    assert len(said) == 1
    assert "made again" in said[0]
    open_index(settings)
    assert len(said) == 1


@pytest.mark.parametrize("damage", [b"", b"SQLite format 3\0", b"x" * 5000])
def test_what_is_no_database_is_refused_as_one(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "i.sqlite").write_bytes(damage)
    with pytest.raises(ManifestError, match="compiled index"):
        Database(tmp_path / "i.sqlite")


def test_an_index_may_say_when_it_expires(tmp_path: Path) -> None:
    file = tmp_path / "i.jsonl.gz"
    write_interchange(file, Header(3, expires="2026-01-02"), [])
    header = read_header(file)
    header.check_expiry("it", now=1_700_000_000)
    with pytest.raises(ManifestError, match="it expired on 2026-01-02"):
        header.check_expiry("it", now=1_800_000_000)
    write_interchange(file, Header(3, expires="soon"), [])
    with pytest.raises(ManifestError, match="expires must be a date"):
        read_header(file)
