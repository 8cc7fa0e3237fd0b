"""MindSpore waits for its operators while a block lasts, and not longer."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor

import pytest

from zoohub.graphs import lockstep
from zoohub.graphs.lockstep import in_step


@pytest.fixture(autouse=True)
def few_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lockstep, "machine_threads", lambda: 1)


def waits() -> bool:
    """Whether MindSpore waits for each operator."""
    import mindspore

    return bool(mindspore.get_context("pynative_synchronize"))


def test_blocks_of_several_threads_leave_what_was_set() -> None:
    assert not waits()
    first, second = in_step(), in_step()
    with ThreadPoolExecutor(1) as other:
        first.__enter__()
        other.submit(second.__enter__).result()
        first.__exit__(None, None, None)
        assert waits()  # the other thread's block lasts
        other.submit(second.__exit__, None, None, None).result()
    assert not waits()


def test_a_block_in_a_block_and_an_error_leave_what_was_set() -> None:
    with in_step():
        with contextlib.suppress(ValueError), in_step():
            raise ValueError("within")
        assert waits()
    assert not waits()
