"""The journal of an interrupted sync: what is damaged in it is left out, the rest is kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from zoohub.manifest.hashes import FileRecord
from zoohub.mirror.state import JOURNAL, Journal

GOOD = FileRecord("ab" * 32, 5)


@pytest.mark.parametrize(
    "line",
    [b"[" * 100_000, b'{"path": "x", "sha256": "a", "size": 1e999}', b"\xff\xfe\x00", b"[1]", b"3",
     b'{"path": "x", "size": 1, "sha256": NaN}', b'{"path": "x"', b'{"marks": 5, "path": "x"}',
     b'{"path": "x", "sha256": "a", "size": ' + b"9" * 5000 + b"}", b"\0", b"null", b""],
)  # fmt: skip
def test_a_damaged_line_costs_no_other(tmp_path: Path, line: bytes) -> None:
    journal = Journal(tmp_path)
    journal.note("one", GOOD)
    with (tmp_path / JOURNAL).open("ab") as file:
        file.write(line + b"\n")
    journal.note("two", GOOD)
    assert journal.read() == {"one": GOOD, "two": GOOD}
