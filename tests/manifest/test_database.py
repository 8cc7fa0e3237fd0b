"""The database a compiled index becomes."""

from __future__ import annotations

import gc
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from zoohub.errors import ManifestError
from zoohub.manifest import database_build
from zoohub.manifest.codec import dump
from zoohub.manifest.database import Database, Summary
from zoohub.manifest.database_build import build_database


def model(number: int) -> dict[str, Any]:
    url = f"https://example.org/{number}.ckpt"
    checkpoint = {
        "id": "first",
        "format": "ckpt",
        "sources": [url],
        "metrics": {"top1": 76.5},
        "note": "Größe 文 'quoted' \"twice\"",
    }
    return {
        "model": f"net{number:05}",
        "family": "net",
        "task": "image-classification",
        "checkpoints": [checkpoint],
    }


def test_more_models_than_are_written_at_once_are_all_there(tmp_path: Path) -> None:
    path = tmp_path / "index.sqlite"
    assert build_database(path, map(model, range(5_500)), {"serial": 3}) == 5_500
    database = Database(path)
    assert (database.count(), database.meta["serial"]) == (5_500, "3")
    for number in (0, 999, 1_000, 5_499):
        name = f"net{number:05}"
        assert database.document(name) == dump(model(number))
        hits = database.hits(f"https://example.org/{number}.ckpt")
        assert [(hit.model, hit.checkpoint) for hit in hits] == [(name, "first")]
    documents = [document for _, document in database.documents()]
    assert documents == [dump(model(number)) for number in range(5_500)]  # from block to block
    database.close()


def test_a_summary_comes_back_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "index.sqlite"
    build_database(path, [model(7)], {})
    (row,) = Database(path).rows("summary", {})
    summary = Summary._make(row)
    assert (summary.model, summary.checkpoints) == ("net00007", 1)
    assert (summary.metric, summary.figure) == ("top1", 76.5)


def test_a_model_that_cannot_be_read_ends_the_building_and_nothing_else(tmp_path: Path) -> None:
    def broken() -> Iterator[dict[str, Any]]:
        yield from map(model, range(2_500))
        raise ManifestError("line 2502: not JSON")

    with pytest.raises(ManifestError, match="line 2502"):
        build_database(tmp_path / "index.sqlite", broken(), {})
    assert gc.isenabled()


@pytest.mark.skipif(sys.platform != "linux", reason="needs a limit on the size of files")
def test_a_full_disk_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "index.sqlite"
    code = """
        import resource, sys
        from pathlib import Path
        from zoohub.errors import ManifestError
        from zoohub.manifest.database_build import build_database
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
        models = ({"model": f"net{n:07}", "family": "net", "task": "x", "description": str(n) * 400}
                  for n in range(20_000))
        try:
            build_database(Path(sys.argv[1]), models, {})
        except ManifestError as error:
            print(error)
    """
    command = [sys.executable, "-c", textwrap.dedent(code), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.startswith(f"the index cannot be built at {path}: ")


def test_a_full_disk_is_told_with_the_cure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tables = f"PRAGMA max_page_count=2; {database_build._TABLES}"
    monkeypatch.setattr(database_build, "_TABLES", tables)
    with pytest.raises(ManifestError, match="is full; free some, or set ZOOHUB_HOME to a folder"):
        build_database(tmp_path / "index.sqlite", [model(1)], {})
