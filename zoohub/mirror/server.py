"""`zoohub mirror serve`: a small static server for a quick start.

HEAD, GET, one Range at a time, ETag and Last-Modified with their conditions. Any real web server
does the same for the folder; nothing here is special to zoohub but what it does not show: names
that begin with a dot, and links that lead out of the folder.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import formatdate, parsedate_to_datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import BinaryIO, ClassVar
from urllib.parse import unquote

from zoohub.errors import MirrorError
from zoohub.mirror.selection import CATALOGUE, INDEX, LICENCES, MANIFEST, PAGES

_TYPES = {
    CATALOGUE: "text/html; charset=utf-8",
    LICENCES: "text/plain; charset=utf-8",
    MANIFEST: "application/json",
    INDEX: "application/gzip",
}
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@dataclass(frozen=True, slots=True)
class Span:
    """The bytes from `start` to `end` (exclusive)."""

    start: int
    end: int


def parse_range(header: str | None, size: int) -> Span | None:
    """The one range asked for; None where the whole file answers (no range, several, nonsense).

    Raises:
        ValueError: the file has no such byte.
    """
    match = _RANGE.fullmatch(header.strip()) if header else None
    if match is None or match[1] == match[2] == "":
        return None
    if match[1] == "":
        start, end = max(0, size - int(match[2])), size
        if int(match[2]) == 0 or size == 0:
            raise ValueError("an empty suffix")
        return Span(start, end)
    start = int(match[1])
    end = size if match[2] == "" else min(int(match[2]) + 1, size)
    if match[2] and int(match[2]) < start:
        return None
    if start >= size:
        raise ValueError("beyond the end")
    return Span(start, end)


def find_file(root: Path, target: str) -> Path | None:
    """The file below `root` that a request's target names; None where it names none.

    Refused are dot names, `..`, backslashes, control characters, drive letters and links that
    lead outside.
    """
    text = unquote(target.partition("?")[0].partition("#")[0], errors="surrogateescape")
    if not text.startswith("/"):
        return None
    if text == "/":
        text = f"/{CATALOGUE}"
    names = text[1:].split("/")
    for name in names:
        if not name or name.startswith(".") or any(ord(c) < 32 or c in "\\:" for c in name):
            return None
    try:
        found = root.joinpath(*names).resolve(strict=True)
    except (OSError, ValueError, RuntimeError):
        return None
    inside = found.is_relative_to(root) and not any(
        part.startswith(".") for part in found.relative_to(root).parts
    )
    return found if inside and found.is_file() else None


class Handler(BaseHTTPRequestHandler):
    """Answers for the server's `root`."""

    protocol_version = "HTTP/1.1"
    server_version = "zoohub"
    sys_version = ""
    timeout = 60
    server: Server

    def do_GET(self) -> None:
        """Send a file or a part of it."""
        self._answer(body=True)

    def do_HEAD(self) -> None:
        """As GET, without the bytes."""
        self._answer(body=False)

    def log_message(self, format: str, *args: object) -> None:
        """One line a request, if somebody listens. Control characters are made visible."""
        line = (format % args).encode("unicode_escape").decode("ascii")
        self.server.log(f"{self.address_string()} {line}")

    def _answer(self, *, body: bool) -> None:
        path = find_file(self.server.root, self.path)
        try:
            file: BinaryIO | None = path.open("rb", buffering=0) if path else None
        except OSError:
            file = None
        if path is None or file is None:
            self._short(HTTPStatus.NOT_FOUND, b"There is no such file in this mirror.\n", body)
            return
        with file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                self._short(HTTPStatus.NOT_FOUND, b"There is no such file.\n", body)
                return
            self._send(file, path, status, body)

    def _send(self, file: BinaryIO, path: Path, status: os.stat_result, body: bool) -> None:
        size = status.st_size
        tag = f'"{status.st_mtime_ns:x}-{size:x}"'
        modified = int(status.st_mtime)
        headers = {
            "ETag": tag,
            "Last-Modified": formatdate(modified, usegmt=True),
            "Accept-Ranges": "bytes",
        }
        if self._is_known(tag, modified):
            self._head(HTTPStatus.NOT_MODIFIED, headers)
            return
        try:
            wanted = self.headers.get("Range") if self._range_holds(tag, modified) else None
            span = parse_range(wanted, size)
        except ValueError:
            headers["Content-Range"] = f"bytes */{size}"
            self._short(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, b"", body, headers)
            return
        name = path.name if path.parent == self.server.root else ""
        if path.parent == self.server.root / PAGES and path.suffix == ".html":
            name = CATALOGUE
        headers["Content-Type"] = _TYPES.get(name, "application/octet-stream")
        if name == CATALOGUE:
            headers["Content-Security-Policy"] = _POLICY
        code = HTTPStatus.OK
        if span is not None:
            code = HTTPStatus.PARTIAL_CONTENT
            headers["Content-Range"] = f"bytes {span.start}-{span.end - 1}/{size}"
        span = span or Span(0, size)
        headers["Content-Length"] = str(span.end - span.start)
        self._head(code, headers)
        if body and span.end > span.start:
            self._copy(file, span)

    def _copy(self, file: BinaryIO, span: Span) -> None:
        """The bytes of a span; a file that has become shorter ends the connection."""
        try:
            self.wfile.flush()
            sent = self.connection.sendfile(file, span.start, span.end - span.start)
        except OSError:  # the client has gone
            self.close_connection = True
            return
        if sent < span.end - span.start:
            self.close_connection = True

    def _is_known(self, tag: str, modified: int) -> bool:
        """Whether the client has this very file, by If-None-Match or else If-Modified-Since."""
        tags = self.headers.get("If-None-Match")
        if tags is not None:
            return any(t.strip().removeprefix("W/") in (tag, "*") for t in tags.split(","))
        since = _seconds(self.headers.get("If-Modified-Since"))
        return since is not None and modified <= since

    def _range_holds(self, tag: str, modified: int) -> bool:
        """Whether the file still is the one that If-Range means."""
        condition = self.headers.get("If-Range")
        if condition is None:
            return True
        return condition.strip() == tag or _seconds(condition) == modified

    def _short(
        self, code: HTTPStatus, text: bytes, body: bool, headers: dict[str, str] | None = None
    ) -> None:
        kind = {"Content-Type": "text/plain; charset=utf-8", "Content-Length": str(len(text))}
        self._head(code, {**(headers or {}), **kind})
        if body:
            with contextlib.suppress(OSError):
                self.wfile.write(text)

    def _head(self, code: HTTPStatus, headers: dict[str, str]) -> None:
        self.send_response(code)
        for name, value in {**headers, "X-Content-Type-Options": "nosniff"}.items():
            self.send_header(name, value)
        with contextlib.suppress(OSError):
            self.end_headers()


def _seconds(date: str | None) -> int | None:
    """An HTTP date as seconds since 1970."""
    try:
        return int(parsedate_to_datetime(date).timestamp()) if date else None
    except (TypeError, ValueError, OverflowError):
        return None


Log = Callable[[str], None]


class Server(ThreadingHTTPServer):
    """A mirror's folder on a port. A thread for each connection."""

    daemon_threads: ClassVar[bool] = True  # type: ignore[misc]
    request_queue_size: ClassVar[int] = 128  # type: ignore[misc]

    def __init__(self, root: Path, host: str, port: int, log: Log | None = None) -> None:
        self.root = root.resolve()
        self._log = log
        super().__init__((host, port), Handler)

    def log(self, line: str) -> None:
        """Pass a request's line on."""
        if self._log is not None:
            self._log(line)

    def handle_error(self, request: object, client_address: tuple[str, int]) -> None:
        """A client that goes away is no error of ours; anything else is one line, not a trace."""
        import sys

        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            self.log(f"{client_address[0]} failed: {error!r}")

    @property
    def url(self) -> str:
        """Where it answers."""
        host, port = self.server_address[:2]
        name = host.decode() if isinstance(host, bytes) else str(host)
        return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"


def make_server(
    root: Path, host: str = "127.0.0.1", port: int = 0, log: Log | None = None
) -> Server:
    """A server that is bound and answers once `serve_forever` runs; port 0 takes a free one.

    Raises:
        MirrorError: there is no such folder, or the address cannot be had.
    """
    if not root.is_dir():
        raise MirrorError(f"{root} is no folder; make a mirror with `zoohub mirror sync {root}`")
    try:
        if ":" in host:
            import socket

            class Six(Server):
                address_family = socket.AF_INET6

            return Six(root, host, port, log)
        return Server(root, host, port, log)
    except (OSError, OverflowError) as error:
        raise MirrorError(f"cannot serve on {host} port {port}: {error}") from error
