"""The origins and the connections that the transfers of one call share."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any, TypeVar
from urllib.parse import urlsplit

from zoohub.settings import Settings
from zoohub.store.claims import Pulse
from zoohub.store.policy import TransferPolicy
from zoohub.transfer.hub import HubOrigin
from zoohub.transfer.local import EmbeddedOrigin, FileOrigin
from zoohub.transfer.origin import Origin
from zoohub.transfer.web import WebOrigin

T = TypeVar("T")


class Pool:
    """Lends origins, so that connections are kept alive from file to file.

    Every transfer has one connection by right; `limit` bounds those that come on top.
    """

    def __init__(self, settings: Settings, policy: TransferPolicy, *, limit: int) -> None:
        self._settings, self._policy = settings, policy
        self._idle: dict[str, list[Origin]] = {}
        self._lock = threading.Lock()
        self._spare = limit
        self._making: dict[str, threading.Lock] = {}
        self._made: dict[str, Any] = {}
        self.stopped = threading.Event()
        self.pulse = Pulse(policy)

    def __enter__(self) -> Pool:
        self.pulse.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        self.pulse.__exit__()
        with self._lock:
            origins = [origin for idle in self._idle.values() for origin in idle]
            self._idle.clear()
        for origin in origins:
            origin.close()

    @contextlib.contextmanager
    def lend(self, url: str) -> Iterator[Origin]:
        """An origin for `url`, for one thread."""
        scheme = urlsplit(url).scheme.lower()
        with self._lock:
            idle = self._idle.setdefault(scheme, [])
            origin = idle.pop() if idle else None
        origin = origin or self._make(scheme)
        try:
            yield origin
        finally:
            with self._lock:
                self._idle.setdefault(scheme, []).append(origin)

    def once(self, key: str, make: Callable[[], T]) -> T:
        """What `make` gives, made once for all transfers; the others wait for the first."""
        with self._lock:
            lock = self._making.setdefault(key, threading.Lock())
        with lock:
            if key not in self._made:
                self._made[key] = make()
            return self._made[key]  # type: ignore[no-any-return]

    def take_spare(self) -> bool:
        """Take one of the connections above each transfer's own, if there is one left."""
        with self._lock:
            if self._spare <= 0 or self.stopped.is_set():
                return False
            self._spare -= 1
            return True

    def give_spare(self) -> None:
        """Give it back."""
        with self._lock:
            self._spare += 1

    def _make(self, scheme: str) -> Origin:
        settings, policy = self._settings, self._policy
        timeout = settings.timeout if policy.stall is None else policy.stall
        if scheme == "embedded":
            return EmbeddedOrigin()
        if scheme == "file":
            return FileOrigin()
        if scheme == "hf":
            return HubOrigin(offline=settings.offline, timeout=timeout)
        return WebOrigin(
            policy, timeout=timeout, tokens=settings.tokens, allow_http=settings.allow_http
        )
