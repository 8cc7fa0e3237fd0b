"""What a run's folder says of itself, damaged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from zoohub.errors import CheckpointCorrupt, ZoohubError
from zoohub.manifest.entry import InputContract, NetworkSpec
from zoohub.models.runs import RUN_FILE, WEIGHTS, RunFacts, open_run, run_document


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


def written(folder: Path, change: dict[tuple[str | int, ...], Any]) -> Path:
    """A run of a folder with a name of the user's own, with values changed in its document."""
    facts = RunFacts(
        name="mine: a run", task="image-classification", entry=None, start=None,
        spec=NetworkSpec("lenet"), contract=InputContract(size=(32, 32)), classes=("a", "b"),
        sha256="ab" * 32, size=3, dataset="/data/my flowers", mindspore="2.10.0",
        metrics={"top1": 0.5}, published=("top1",),
    )  # fmt: skip
    document: Any = run_document(facts)
    for (*path, key), value in change.items():
        part = document
        for step in path:
            part = part[step]
        part[key] = value
    (folder / WEIGHTS).write_bytes(b"abc")
    (folder / RUN_FILE).write_text(json.dumps(document))
    return folder


def test_a_run_may_be_called_anything(tmp_path: Path) -> None:
    run = open_run(written(tmp_path, {}))
    assert (run.entry.model, run.checkpoint.dataset) == ("mine: a run", "/data/my flowers")


FIRST = ("model", "checkpoints", 0)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("model", "model"), 7),
        (("model", "network", "builder"), []),
        (("model", "network", "arguments"), None),
        (("model", "input", "size"), "x"),
        (("model", "input", "value_range"), None),
        (("model", "checkpoints"), ["x"]),
        ((*FIRST, "format"), None),
        ((*FIRST, "sources"), [1]),
        ((*FIRST, "sha256"), 7),
        ((*FIRST, "size"), True),
        ((*FIRST, "metrics", "top1"), "x"),
        (("classes",), ["a", 1]),
        (("metrics",), [1]),
    ],
)
def test_a_run_that_says_what_no_index_may_is_damaged(
    tmp_path: Path, place: tuple[str | int, ...], value: object
) -> None:
    with pytest.raises(CheckpointCorrupt, match=r"run\.json: not a run's index entry"):
        open_run(written(tmp_path, {place: value}))
