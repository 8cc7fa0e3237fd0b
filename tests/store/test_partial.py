"""The unfinished file and its note."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoohub.store.owner import this_owner
from zoohub.store.partial import Partial, Provenance, Span, _merged

KEY = "ab" * 32


@pytest.fixture
def partial(tmp_path: Path):
    partial = Partial(tmp_path, KEY, this_owner())
    partial.path.touch()
    partial.open()
    yield partial
    partial.close()


def reopened(partial: Partial) -> Partial:
    """As after a kill: what was noted is all that is known."""
    partial.close()
    again = Partial(partial.folder, partial.key, partial.owner)
    again.open()
    return again


def split(partial: Partial) -> None:
    [span] = partial.spans
    span.end = 300
    partial.carve(span, 100)
    partial.carve(partial.spans[1], 100)
    partial.write(partial.spans[0], b"a" * 100)
    partial.write(partial.spans[2], b"c" * 40)


def test_spans_are_carved_from_the_front(partial):
    split(partial)
    assert [(s.start, s.end, s.done) for s in partial.spans] == [
        (0, 100, 100),
        (100, 200, 100),
        (200, 300, 240),
    ]
    assert (partial.frontier, partial.have, partial.complete) == (100, 140, False)


def test_a_note_brings_the_spans_back(partial):
    split(partial)
    partial.origin = Provenance("source", '"tag"', 300)
    partial.note()
    again = reopened(partial)
    assert [(s.start, s.end, s.done) for s in again.spans] == [
        (0, 100, 100),
        (100, 200, 100),
        (200, 300, 240),
    ]
    assert (again.origin, again.known) == (Provenance("source", '"tag"', 300), True)
    again.close()


def test_after_another_boot_only_fsynced_bytes_count(partial):
    split(partial)
    partial.sync()
    partial.write(partial.spans[-1], b"c" * 10)
    partial.note()
    note = json.loads(partial.map_path.read_text())
    partial.map_path.write_text(json.dumps({**note, "boot": "another"}))
    again = reopened(partial)
    assert [s.done for s in again.spans] == [100, 100, 240]
    again.close()


def test_a_note_of_another_file_is_not_believed(partial):
    split(partial)
    partial.note()
    note = json.loads(partial.map_path.read_text())
    partial.map_path.write_text(json.dumps({**note, "inode": note["inode"] + 1}))
    again = reopened(partial)
    assert [(s.start, s.end, s.done) for s in again.spans] == [(0, None, 240)]
    assert not again.known
    again.close()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"inode": 1}', '{"inode": "x", "spans": 3}'])
def test_a_damaged_note_is_not_believed(partial, text):
    split(partial)
    partial.map_path.write_text(text)
    again = reopened(partial)
    assert not again.known
    again.close()


def test_a_restart_takes_the_note_away(partial):
    split(partial)
    partial.note()
    partial.restart(Provenance("new"))
    assert not partial.map_path.exists()
    assert partial.path.stat().st_size == 0


@given(st.lists(st.tuples(st.integers(1, 50), st.integers(0, 50)), min_size=1, max_size=12))
def test_merging_neither_loses_nor_invents_bytes(parts):
    spans, at = [], 0
    for length, done in parts:
        reached = at + min(done, length)
        spans.append(Span(at, at + length, reached, at))
        at += length
    merged = _merged(spans)

    def here(spans: list[Span]) -> set[int]:
        return {byte for span in spans for byte in range(span.start, span.done)}

    assert here(merged) == here(spans)
    assert merged[-1].end == at
    assert all(a.end == b.start for a, b in pairwise(merged))
