"""A small zoo of our own: an origin that counts requests, and the index of its files."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from zoohub.manifest.codec import decode_entry
from zoohub.mirror.publish import Publisher
from zoohub.mirror.selection import Selection, select
from zoohub.mirror.server import Server, make_server
from zoohub.mirror.sync import SyncOptions, SyncReport, sync
from zoohub.mirror.target import Folder
from zoohub.settings import Settings
from zoohub.store import TransferPolicy

FAST = TransferPolicy(backoff=0.01, backoff_limit=0.02, tries=2)


def content(name: str, size: int = 5000) -> bytes:
    """Bytes that are a checkpoint for all the store knows, another for each name."""
    seed = hashlib.sha256(name.encode()).digest()
    return (b"\x0a\x10" + seed * (size // 32 + 1))[:size]


@dataclass
class Zoo:
    """An origin's folder and server, the models it publishes, and what was asked of it."""

    root: Path
    server: Server
    requests: list[str]
    documents: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def host(self) -> str:
        return self.server.url

    def add(
        self, model: str, path: str | None = None, *, declared: str = "sha256", **fields: Any
    ) -> bytes:
        """Publish a file and its model; returns the bytes."""
        path = path or f"{model}/{model}.ckpt"
        data = content(model)
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        sha256 = hashlib.sha256(data).hexdigest()
        hashes: dict[str, Any] = {
            "sha256": {"sha256": sha256, "size": len(data)},
            "prefix": {"sha256_prefix": sha256[:8]},
            "none": {},
        }[declared]
        checkpoint = {"id": "lab", "format": "ckpt", "sources": [f"{self.host}/{path}"]}
        self.documents[model] = {
            "model": model,
            "family": model.split("_")[0],
            "task": "image-classification",
            "default": "lab",
            "checkpoints": [{**checkpoint, **hashes, **fields}],
        }
        return data

    def select(self, **filters: Any) -> Selection:
        return select(
            (decode_entry(self.documents[m], "test") for m in sorted(self.documents)), **filters
        )


@pytest.fixture
def serve() -> Iterator[Callable[..., tuple[Server, list[str]]]]:
    """Serve folders on loopback; gives the server and the list of its requests."""
    running: list[tuple[Server, threading.Thread]] = []

    def start(root: Path) -> tuple[Server, list[str]]:
        requests: list[str] = []
        server = make_server(root, log=requests.append)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        running.append((server, thread))
        return server, requests

    yield start
    for server, thread in running:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def zoo(tmp_path: Path, serve: Callable[..., tuple[Server, list[str]]]) -> Zoo:
    root = tmp_path / "origin"
    root.mkdir()
    server, requests = serve(root)
    return Zoo(root, server, requests)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", timeout=5, connections=4)


@dataclass
class Mirror:
    """A mirror of the zoo in a folder."""

    zoo: Zoo
    root: Path
    settings: Settings

    @property
    def target(self) -> Folder:
        return Folder(self.root)

    def sync(
        self, *, key: bytes | None = None, settings: Settings | None = None, **options: Any
    ) -> SyncReport:
        filters = {k: options[k] for k in ("format", "task", "max_size") if k in options}
        known = {k: options.pop(k) for k in ("jobs", "max_size", "dry_run") if k in options}
        options = {k: v for k, v in options.items() if k not in filters}
        selection = self.zoo.select(**filters)
        return sync(
            self.target,
            selection,
            {model: self.zoo.documents[model] for model in selection.models},
            settings or self.settings,
            Publisher(key=key),
            SyncOptions(**known),
            policy=FAST,
            **options,
        )

    def file(self, model: str) -> Path:
        return self.root / "127.0.0.1" / model / f"{model}.ckpt"


@pytest.fixture
def mirror(zoo: Zoo, tmp_path: Path, settings: Settings) -> Mirror:
    return Mirror(zoo, tmp_path / "mirror", settings)


@pytest.fixture
def another_home(settings: Settings, tmp_path: Path) -> Settings:
    """A colleague's machine."""
    return replace(settings, home=tmp_path / "colleague")
