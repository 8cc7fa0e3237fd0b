"""A short, repeatable share of fuzz_data.py: damaged labels are read or refused in one line."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.tasks.fuzz_data import BASES, check, mutated, place

_CUT = ("texts", "conll", "tags", "squad", "questions")  # by tokenizers


@pytest.mark.parametrize("kind", BASES)
def test_damaged_files_of_data_are_read_or_refused(tmp_path: Path, kind: str) -> None:
    if kind in _CUT:
        pytest.importorskip("tokenizers")
    place(tmp_path)
    assert check(kind, tmp_path, BASES[kind]) == "read"
    random_numbers = random.Random(kind)
    outcomes = [check(kind, tmp_path, mutated(BASES[kind], random_numbers)) for _ in range(60)]
    assert set(outcomes) <= {"read", "refused"}
    assert kind == "yolo" or "refused" in outcomes  # YOLO's lines are left out one by one
