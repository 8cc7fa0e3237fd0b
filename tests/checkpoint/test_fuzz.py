"""A short, repeatable share of fuzz_checkpoint.py: damage is refused, never suffered."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from fuzz_checkpoint import FORMATS, base_files, check, every_byte, mutated
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

# An archive with its pickle takes ten times as long as the others.
OFTEN = [pytest.param(f, marks=pytest.mark.slow if f == "pth" else ()) for f in FORMATS]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


@pytest.fixture(scope="module")
def bases(folder: Path) -> dict[str, bytes]:
    return base_files(folder)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # sums of damaged numbers overflow
@pytest.mark.parametrize("format", OFTEN)
@settings(
    max_examples=300,
    deadline=2000,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(seed=st.integers(0, 2**32))
def test_mutated_files_are_read_or_refused(
    folder: Path, bases: dict[str, bytes], format: str, seed: int
) -> None:
    data = mutated(format, bases[format], random.Random(seed))
    assert check(folder / "input", data) in ("corrupt", "refused", "read")


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("format", FORMATS)
def test_a_framing_byte_that_changes_is_read_or_refused(
    folder: Path, bases: dict[str, bytes], format: str
) -> None:
    damaged = list(every_byte(bases[format]))
    chosen = random.Random(0).sample(damaged, 700)
    outcomes = [check(folder / "input", data) for data in chosen]
    assert outcomes.count("corrupt") > 350


@pytest.mark.parametrize("format", OFTEN)
def test_every_cut_is_refused_or_loses_whole_parameters_only(
    folder: Path, bases: dict[str, bytes], format: str
) -> None:
    whole = bases[format]
    outcomes = [check(folder / "input", whole[:length]) for length in range(len(whole))]
    # A .ckpt has no directory: a cut between two parameters leaves a sound file.
    assert outcomes.count("read") <= (14 if format == "ckpt" else 0)
