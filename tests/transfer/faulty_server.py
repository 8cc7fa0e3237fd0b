"""An HTTP server that misbehaves on purpose, and counts what it sends.

Each path has a `Resource`: its bytes and its faults. A fault is a function of the request that may
answer it in its own way; `Fault`s of a resource are used up in order, then it behaves.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import re
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

Fault = Callable[["Handler", "Resource"], bool]
"""Answers a request wrongly and returns True, or returns False to let it be answered rightly."""


@dataclass
class Resource:
    content: bytes
    faults: list[Fault] = field(default_factory=list)
    always: Fault | None = None
    etag: str | None = None
    ranges: bool = True
    delay: float = 0.0  # seconds before each answer

    def validator(self) -> str:
        return self.etag or '"' + hashlib.sha256(self.content).hexdigest()[:16] + '"'


@dataclass(frozen=True)
class Seen:
    """One request as the server saw it."""

    method: str
    path: str
    headers: dict[str, str]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FaultyServer

    def setup(self) -> None:
        super().setup()
        with self.server.lock:
            self.server.connections += 1

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        server = self.server
        path = unquote(urlsplit(self.path).path)
        with server.lock:
            server.seen.append(Seen("GET", path, dict(self.headers.items())))
            resource = server.resources.get(path)
            fault = None
            if resource is not None:
                fault = resource.faults.pop(0) if resource.faults else resource.always
        with server.lock:
            server.active += 1
        if resource is not None and resource.delay:
            server.paused.wait(resource.delay)
        try:
            if resource is None:
                self.answer(404, b"not here")
            elif fault is None or not fault(self, resource):
                self.serve(resource)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        finally:
            with server.lock:
                server.active -= 1

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if "Content_Length" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.send_body(body)

    def wanted(self, resource: Resource) -> tuple[int, int] | None:
        """The range that is asked for and still valid."""
        match = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if match is None or not resource.ranges:
            return None
        if self.headers.get("If-Range") not in (None, resource.validator()):
            return None
        size = len(resource.content)
        return int(match[1]), min(int(match[2]) + 1 if match[2] else size, size)

    def serve(self, resource: Resource) -> None:
        wanted = self.wanted(resource)
        size = len(resource.content)
        if wanted is None:
            self.answer(200, resource.content, ETag=resource.validator())
        elif wanted[0] >= size:
            self.answer(416, b"", Content_Range=f"bytes */{size}")
        else:
            start, end = wanted
            self.answer(
                206,
                resource.content[start:end],
                ETag=resource.validator(),
                Content_Range=f"bytes {start}-{end - 1}/{size}",
            )

    def send_body(self, body: bytes, *, step: int = 1 << 16) -> None:
        """Send and count; stop where the server is told to pause."""
        for offset in range(0, len(body), step):
            part = body[offset : offset + step]
            self.server.before_part(self)
            self.wfile.write(part)
            with self.server.lock:
                self.server.sent += len(part)

    def reset(self) -> None:
        """End the connection with RST."""
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.shutdown(socket.SHUT_RD)
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.close()


class FaultyServer(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.resources: dict[str, Resource] = {}
        self.seen: list[Seen] = []
        self.sent = 0  # bytes of bodies
        self.active = 0  # requests being answered
        self.connections = 0
        self.paused = threading.Event()  # set at the end: pauses are over
        self.lock = threading.Lock()
        self.before_part: Callable[[Handler], None] = lambda handler: None
        self._thread = threading.Thread(
            target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self._thread.start()

    def handle_error(self, request: object, client_address: object) -> None:
        pass  # clients that are killed are the point

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def put(self, path: str, content: bytes, *faults: Fault, **options: object) -> str:
        """Serve `content` at `path`, after the faults; returns its URL."""
        self.resources[path] = Resource(content, list(faults), **options)  # type: ignore[arg-type]
        return self.url + path

    def stop(self) -> None:
        self.paused.set()
        self.shutdown()
        self.server_close()


# The faults. Each is made by a function with the figures it needs.


def status(code: int, body: bytes = b"", **headers: str) -> Fault:
    def fault(handler: Handler, resource: Resource) -> bool:
        handler.answer(code, body, **headers)
        return True

    return fault


def cut_after(count: int, *, reset: bool = False) -> Fault:
    """Promise all, send `count` bytes of it, and hang up."""

    def fault(handler: Handler, resource: Resource) -> bool:
        body = begin(handler, resource)
        handler.send_body(body[:count])
        if reset:
            handler.reset()
        handler.close_connection = True
        return True

    return fault


def stall_after(count: int, seconds: float) -> Fault:
    """Send `count` bytes, then nothing."""

    def fault(handler: Handler, resource: Resource) -> bool:
        body = begin(handler, resource)
        handler.send_body(body[:count])
        handler.wfile.flush()
        handler.server.paused.wait(seconds)
        handler.close_connection = True
        return True

    return fault


def drip(size: int, pause: float) -> Fault:
    """Send `size` bytes at a time with a pause after each."""

    def fault(handler: Handler, resource: Resource) -> bool:
        body = begin(handler, resource)
        for offset in range(0, len(body), size):
            handler.send_body(body[offset : offset + size])
            handler.wfile.flush()
            if handler.server.paused.wait(pause):
                break
        handler.close_connection = True
        return True

    return fault


def begin(handler: Handler, resource: Resource) -> bytes:
    """Send the head of a right answer; returns the body it promises."""
    size = len(resource.content)
    wanted = handler.wanted(resource)
    start, end = wanted or (0, size)
    handler.send_response(206 if wanted else 200)
    if wanted:
        handler.send_header("Content-Range", f"bytes {start}-{end - 1}/{size}")
    handler.send_header("ETag", resource.validator())
    handler.send_header("Content-Length", str(end - start))
    handler.end_headers()
    return resource.content[start:end]


def wrong_length(difference: int) -> Fault:
    """The whole body under a Content-Length that is off by `difference`."""

    def fault(handler: Handler, resource: Resource) -> bool:
        length = len(resource.content) + difference
        handler.answer(200, resource.content, Content_Length=str(length))
        handler.close_connection = True
        return True

    return fault


def wrong_range(shift: int) -> Fault:
    """206 with bytes from elsewhere, truthfully labelled."""

    def fault(handler: Handler, resource: Resource) -> bool:
        wanted = handler.wanted(resource)
        if wanted is None:
            return False
        start, end = max(wanted[0] + shift, 0), wanted[1]
        size = len(resource.content)
        handler.answer(
            206,
            resource.content[start:end],
            Content_Range=f"bytes {start}-{end - 1}/{size}",
            ETag=resource.validator(),
        )
        return True

    return fault


def then(fault: Fault, change: Callable[[], None]) -> Fault:
    """A fault after which something at the server changes."""

    def both(handler: Handler, resource: Resource) -> bool:
        answered = fault(handler, resource)
        change()
        return answered

    return both


def gzipped(handler: Handler, resource: Resource) -> bool:
    """The body in gzip, whatever was asked for."""
    body = gzip.compress(resource.content, 1)
    handler.answer(200, body, Content_Encoding="gzip", ETag=resource.validator())
    return True


def chunked(handler: Handler, resource: Resource) -> bool:
    """A body without a length."""
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    for offset in range(0, len(resource.content), 50_000):
        part = resource.content[offset : offset + 50_000]
        handler.wfile.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
    handler.wfile.write(b"0\r\n\r\n")
    return True


def until_close(count: int | None) -> Fault:
    """A body that ends where the connection does, after `count` bytes."""

    def fault(handler: Handler, resource: Resource) -> bool:
        handler.send_response(200)
        handler.send_header("Connection", "close")
        handler.end_headers()
        handler.send_body(resource.content[:count])
        handler.close_connection = True
        return True

    return fault


def redirect(location: str, code: int = 302) -> Fault:
    return status(code, b"", Location=location)
