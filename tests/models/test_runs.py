"""What a run's folder says of itself, damaged."""

from __future__ import annotations

from pathlib import Path

import pytest

from zoohub.errors import CheckpointCorrupt, ZoohubError
from zoohub.models.runs import RUN_FILE, open_run


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"[" * 100_000, r"run\.json:1: nested deeper than 64 levels"),
        (b'{"schema": 1,\n "metrics": {"top1": NaN}}', r"run\.json:2: NaN is no number"),
        (b'{"schema": 1,\n "metrics": {"top1": 1e999}}', r"run\.json:2: the number 1e999"),
        (b"\xff\xfe\x00", r"run\.json:1: not UTF-8"),
        (b'{"schema": 1}\0', r"run\.json:1: .*NUL"),
        (b"3", r"run\.json: not a run's index entry"),
        (b"{}", r"run\.json: not a run's index entry"),
        (b'{"schema": 1, "model": [], "classes": 3, "metrics": {}}', r"."),
    ],
)
def test_a_damaged_run_is_named_with_its_line(tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / RUN_FILE).write_bytes(data)
    with pytest.raises(ZoohubError, match=message) as caught:
        open_run(tmp_path)
    assert message == "." or isinstance(caught.value, CheckpointCorrupt)
