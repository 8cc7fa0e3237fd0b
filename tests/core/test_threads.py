"""Threads follow what the machine lets this process use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from zoohub.core.threads import machine_threads

HERE = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def v2(folder: Path, text: str) -> Path:
    (folder / "cpu.max").write_text(text)
    return folder


def v1(folder: Path, quota: str, period: str) -> Path:
    (folder / "cpu").mkdir()
    (folder / "cpu" / "cpu.cfs_quota_us").write_text(quota)
    (folder / "cpu" / "cpu.cfs_period_us").write_text(period)
    return folder


@pytest.mark.parametrize(
    ("text", "threads"),
    [
        ("max 100000\n", HERE),
        ("100000 100000\n", 1),
        ("50000 100000\n", 1),
        ("150000 100000\n", min(HERE, 2)),
        ("99999999 100000\n", HERE),
        ("what 100000\n", HERE),
        ("100000 0\n", HERE),
        ("", HERE),
    ],
)
def test_a_containers_share_is_not_exceeded(tmp_path: Path, text: str, threads: int) -> None:
    assert machine_threads({}, v2(tmp_path, text)) == threads


@pytest.mark.parametrize(
    ("quota", "threads"), [("-1\n", HERE), ("100000\n", 1), ("20000\n", 1), ("junk", HERE)]
)
def test_the_older_groups_say_it_in_two_files(tmp_path: Path, quota: str, threads: int) -> None:
    assert machine_threads({}, v1(tmp_path, quota, "100000\n")) == threads


@pytest.mark.parametrize(
    ("asked", "threads"), [("3", 3), ("2,4", 2), (" 5 ", 5), ("0", 1), ("many", 1), ("", 1)]
)
def test_omp_num_threads_has_the_first_word(tmp_path: Path, asked: str, threads: int) -> None:
    assert machine_threads({"OMP_NUM_THREADS": asked}, v2(tmp_path, "1000 100000")) == threads


def test_without_groups_all_processors_count(tmp_path: Path) -> None:
    assert machine_threads({}, tmp_path / "none") == HERE


def test_a_process_bound_to_one_processor_uses_one(tmp_path: Path) -> None:
    if not hasattr(os, "sched_setaffinity"):
        pytest.skip("processes cannot be bound here")
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {next(iter(before))})
        assert machine_threads({}, tmp_path / "none") == 1
    finally:
        os.sched_setaffinity(0, before)
