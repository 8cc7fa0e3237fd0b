"""What the places that bytes come from have in common: an origin opens a URL at an offset."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

Kind = Literal["gone", "denied", "unreachable", "transient", "slow", "changed", "refused", "space"]


class SourceError(Exception):
    """A source did not give its bytes.

    `kind`: `gone` (not there), `denied` (401, 403), `unreachable` (no connection could be made),
    `transient` (worth another try, after `retry_after` seconds if the server asks for it), `slow`
    (the same, but what came does not count as a success),
    `changed` (the bytes fetched so far are of another file), `refused` (we do not want it), `space`
    (it says that its file is larger than what is free here).
    """

    def __init__(self, kind: Kind, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Request:
    """The bytes of `url` from `start` to `end` (exclusive; None: to the end).

    `validator`: only if the file still is the one it stands for, else the whole new file.
    `https_only`: not even a redirect may lead over plain http, but for loopback.
    """

    url: str
    start: int = 0
    end: int | None = None
    validator: str | None = None
    https_only: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """An open stream of a file's bytes.

    `start` is the offset of the first byte to come (0 where the origin does not do ranges),
    `total` the size of the whole file where it is said, `validator` what changes when the file
    does (strong ETag or Last-Modified). `read(n)` gives 1 to n bytes, b"" at the end; it raises
    `SourceError`. `framed`: the end of the stream is marked, so that a cut would be noticed.
    `ranged`: the origin honours ranges. `abort` makes another thread's `read` end soon.
    """

    start: int
    total: int | None
    validator: str | None
    read: Callable[[int], bytes]
    close: Callable[[], None]
    framed: bool = True
    ranged: bool = False
    abort: Callable[[], None] = lambda: None


class Origin(Protocol):
    """One scheme of sources. One object for one thread at a time."""

    def open(self, request: Request) -> Reply:
        """Open a stream of the bytes asked for, or of the whole file.

        Raises:
            SourceError: it cannot be opened.
        """
        ...

    def close(self) -> None:
        """Give back what it holds open."""
        ...
