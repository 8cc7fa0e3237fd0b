"""Fixtures of the transfer tests: the misbehaving server, checkpoints, settings."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # so that tests and their helpers find faulty_server

from faulty_server import FaultyServer

from zoohub.manifest.entry import Checkpoint
from zoohub.settings import Settings
from zoohub.store import TransferPolicy


@pytest.fixture(scope="session")
def compiled_index() -> list[Path]:
    """These tests need no index."""
    return []


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    server = FaultyServer()
    yield server
    server.stop()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


@pytest.fixture
def policy() -> TransferPolicy:
    """The protocol's limits, much shorter; the stall leaves room for a busy machine."""
    return TransferPolicy(
        stale_after=0.5,
        wait_limit=30.0,
        notice_every=0.1,
        poll=0.01,
        backoff=0.01,
        backoff_limit=0.08,
        retry_after_limit=0.6,
        stall=8.0,
        slow_window=0.3,
        slow_rate=10_000,
        note_every=64 << 10,
        sync_every=1 << 20,
    )


def checkpoint(content: bytes, *sources: str, **changes: object) -> Checkpoint:
    """A checkpoint whose full hash is declared."""
    fields: dict[str, object] = {
        "model": "lenet5",
        "id": "test",
        "format": "ckpt",
        "sources": sources,
        "declared": "sha256",
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    return Checkpoint(**{**fields, **changes})  # type: ignore[arg-type]


@pytest.fixture
def make_checkpoint():  # type: ignore[no-untyped-def]
    return checkpoint


class Listener:
    """Keeps what a transfer said."""

    def __init__(self) -> None:
        self.messages: list[str] = []
        self.done = 0
        self.total: int | None = None
        self.finished = False

    def start(self, name: str, total: int | None, already: int) -> None:
        self.total, self.done = total, already

    def advance(self, count: int) -> None:
        self.done += count

    def message(self, text: str) -> None:
        self.messages.append(text)

    def finish(self) -> None:
        self.finished = True


@pytest.fixture
def listener() -> Listener:
    return Listener()
