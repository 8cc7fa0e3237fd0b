"""A compiled index becomes rows, by one process or several."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from zoohub.core import notes
from zoohub.errors import ManifestError
from zoohub.manifest import reading
from zoohub.manifest.database_build import write_database
from zoohub.manifest.interchange import Header, write_interchange
from zoohub.manifest.reading import read_rows

COUNT = 3_500  # four batches


def model(number: int) -> dict[str, Any]:
    checkpoint = {
        "id": "first",
        "format": "ckpt",
        "sources": [f"https://example.org/{number}.ckpt"],
        "sha256": f"{number:064x}",
        "metrics": {"top1": 76.5},
        "records": [{"uid": f"mindspore/1.{number % 5}/n{number}", "url": "https://example.org/u"}],
    }
    return {
        "model": f"net{number:05}",
        "family": "net",
        "task": "image-classification",
        "description": "Größe 文",
        "checkpoints": [checkpoint],
    }


@pytest.fixture
def index(tmp_path: Path) -> Path:
    file = tmp_path / "index.jsonl.gz"
    write_interchange(file, Header(serial=5), map(model, range(COUNT)))
    return file


def built(index: Path, processes: int) -> bytes:
    """The database that this many processes make."""
    database = index.parent / f"{processes}.sqlite"
    header, rows = read_rows(index, processes)
    assert write_database(database, rows, {"serial": header.serial}) == COUNT
    return database.read_bytes()


def test_several_processes_make_the_same_bytes_as_one(index: Path) -> None:
    assert built(index, 3) == built(index, 1)


def test_a_small_index_is_read_without_other_processes(
    index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a process was started")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    assert sum(rows.count for rows in read_rows(index)[1]) == COUNT


@pytest.mark.parametrize("processes", [1, 2])
def test_a_wrong_model_is_named_with_its_line_whoever_read_it(
    tmp_path: Path, processes: int
) -> None:
    models = [model(number) for number in range(COUNT)]
    models[2_700]["checkpoints"][0]["sha256"] = "no hash"
    file = tmp_path / "index.jsonl.gz"
    write_interchange(file, Header(), models)
    with pytest.raises(ManifestError, match=r"index\.jsonl\.gz:2702: 'net02700': .*sha256"):
        list(read_rows(file, processes)[1])


@pytest.mark.parametrize("processes", [1, 2])
def test_the_order_is_checked_from_one_batch_to_the_next(
    index: Path, processes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "BATCH", 4)
    header, lines = reading.open_lines(index)
    every = list(lines)
    every[8] = every[7]  # the first of the third batch
    monkeypatch.setattr(reading, "open_lines", lambda path: (header, iter(every)))
    with pytest.raises(ManifestError, match=":10: 'net00007' is not sorted, or there twice"):
        list(read_rows(index, processes)[1])


@pytest.mark.skipif(sys.platform == "win32", reason="signals as POSIX has them")
def test_where_a_helping_process_dies_its_part_is_read_here_and_said(
    index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(notes, "listener", said.append)
    start = reading._Helper.__init__

    def killed(self: Any) -> None:
        start(self)
        os.kill(self._process.pid, signal.SIGKILL)

    monkeypatch.setattr(reading._Helper, "__init__", killed)
    assert sum(rows.count for rows in read_rows(index, 2)[1]) == COUNT
    assert [line for line in said if "ended (status -9); its part is read here" in line]


def test_no_process_is_left_when_the_rest_is_not_wanted(index: Path) -> None:
    before = len(children())
    _, rows = read_rows(index, 2)
    next(rows)
    assert len(children()) == before + 2
    rows.close()
    assert len(children()) == before


def children() -> list[int]:
    """The processes that this one has started and that have not been waited for."""
    psutil = pytest.importorskip("psutil")
    return [child.pid for child in psutil.Process().children()]


def test_a_script_without_a_main_guard_reads_a_large_index(index: Path) -> None:
    """`multiprocessing` would run it again in each process."""
    script = index.parent / "script.py"
    script.write_text(
        textwrap.dedent(
            f"""
            from pathlib import Path
            from zoohub.manifest.reading import read_rows
            print("once", sum(rows.count for rows in read_rows(Path({str(index)!r}), 2)[1]))
            """
        )
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["once", str(COUNT)]
