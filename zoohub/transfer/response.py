"""What an HTTP response means: a stream of bytes, or why it gives none."""

from __future__ import annotations

import contextlib
import re
import time
from typing import TYPE_CHECKING, Any

from zoohub.core.counting import counted
from zoohub.core.headers import content_range, reason, retry_after, size_of, validator
from zoohub.store.policy import TransferPolicy
from zoohub.transfer.origin import Reply, SourceError

if TYPE_CHECKING:
    import requests

_AGAIN = {408, 425, 429}


def read_response(response: requests.Response, start: int, policy: TransferPolicy) -> Reply:
    """What a response means, as a stream; raises `SourceError` for all that give no bytes."""
    status, headers = response.status_code, response.headers
    if status == 200:
        return _whole(response, policy)
    if status == 206:
        return _part(response, start, policy)
    if status == 416:
        there = content_range(headers.get("Content-Range"))
        if there is not None and there.start is None and there.total == start:
            response.close()
            return Reply(start, start, validator(headers), lambda _: b"", lambda: None)
        raise SourceError("changed", "HTTP 416: it has no byte where the rest should begin")
    text = reason(status, response.reason)
    if status in (401, 403, 407):
        raise SourceError("denied", text)
    if status in _AGAIN or status >= 500:
        wait = retry_after(headers.get("Retry-After"), time.time(), policy.retry_after_limit)
        raise SourceError("transient", text, wait)
    raise SourceError("gone", text)


def _whole(response: requests.Response, policy: TransferPolicy) -> Reply:
    headers = response.headers
    encoded = headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity")
    length = None if encoded else size_of(headers.get("Content-Length"))
    chunked = "chunked" in headers.get("Transfer-Encoding", "").lower()
    if "Content-Length" in headers and size_of(headers["Content-Length"]) is None:
        raise SourceError("gone", "its Content-Length is no size of a file")
    framed = length is not None or chunked or "Content-Length" in headers
    # The bytes of an encoded body have no offsets that a later Range could name.
    known = None if encoded else validator(headers)
    return _stream(response, 0, length, known, policy, framed=framed, length=length)


def _part(response: requests.Response, start: int, policy: TransferPolicy) -> Reply:
    headers = response.headers
    part = content_range(headers.get("Content-Range"))
    if part is None or part.start is None or part.end is None:
        raise SourceError("transient", "HTTP 206 that does not say which bytes it brings")
    if part.start != start:
        raise SourceError(
            "transient", f"HTTP 206 from byte {part.start} where byte {start} was asked for"
        )
    length, known = part.end - part.start, validator(headers)
    return _stream(
        response, start, part.total, known, policy, framed=True, length=length, ranged=True
    )


def _stream(
    response: requests.Response,
    start: int,
    total: int | None,
    validator: str | None,
    policy: TransferPolicy,
    *,
    framed: bool,
    length: int | None,
    ranged: bool = False,
) -> Reply:
    """The body as bytes; a body shorter than it should be, or too slow, is an error."""
    raw: Any = response.raw
    decode = response.headers.get("Content-Encoding", "identity").lower() not in ("", "identity")
    # read1 gives what has arrived; read would wait for all that was asked for.
    one = getattr(raw, "read1", None)
    came = 0
    window_began, window_came = time.monotonic(), 0

    def close() -> None:
        if length is not None and came >= length and not decode:
            raw.release_conn()  # all was read: the connection can serve the next request
        else:
            response.close()

    def read(limit: int) -> bytes:
        nonlocal came, window_began, window_came
        if length is not None and not decode:
            limit = min(limit, length - came)
            if limit <= 0:
                return b""
        try:
            if one is not None:
                data: bytes = one(limit, decode_content=decode)
            else:
                data = raw.read(min(limit, 1 << 16), decode_content=decode)
        except Exception as error:  # a broken body raises what the libraries below raise
            raise SourceError("transient", cause(error)) from None
        came += len(data)
        if not data and length is not None and came < length and not decode:
            raise SourceError(
                "transient", f"the connection ended {counted(length - came, 'byte')} early"
            )
        now = time.monotonic()
        if now - window_began >= policy.slow_window:
            if (came - window_came) / (now - window_began) < policy.slow_rate:
                raise SourceError("slow", f"fewer than {policy.slow_rate:g} bytes a second came")
            window_began, window_came = now, came
        return data

    def abort() -> None:
        # Closing from another thread would not wake a thread that waits for bytes.
        with contextlib.suppress(Exception):
            raw.shutdown()

    return Reply(start, total, validator, read, close, framed, ranged, abort)


def cause(error: Exception) -> str:
    """The cause at the bottom of a chain of wrapped errors, without the URL."""
    found: Any = error
    while True:
        inner = getattr(found, "reason", None)
        if not isinstance(inner, BaseException):
            inner = next(
                (a for a in getattr(found, "args", ()) if isinstance(a, BaseException)), None
            )
        if inner is None or inner is found:
            break
        found = inner
    text = str(found)
    # urllib3 begins with the connection object: its address, or in newer versions host and port.
    connection = r"^(.*?object at 0x[0-9a-f]+>|\w+\(host=[^)]*\)): "
    return re.sub(connection, "", text) or type(found).__name__
