"""What an HTTP response means: a stream of bytes, or why it gives none."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from zoohub.store.policy import TransferPolicy
from zoohub.transfer.origin import Reply, SourceError

if TYPE_CHECKING:
    import requests

_AGAIN = {408, 425, 429}
_CONTENT_RANGE = re.compile(r"bytes\s+(?:(\d+)-(\d+)|\*)/(\d+|\*)", re.IGNORECASE)


def read_response(response: requests.Response, start: int, policy: TransferPolicy) -> Reply:
    """What a response means, as a stream; raises `SourceError` for all that give no bytes."""
    status, headers = response.status_code, response.headers
    validator = _validator(headers)
    if status == 200:
        encoded = headers.get("Content-Encoding", "identity").strip().lower() not in (
            "",
            "identity",
        )
        length = None if encoded else _length(headers.get("Content-Length"))
        chunked = "chunked" in headers.get("Transfer-Encoding", "").lower()
        framed = length is not None or chunked or "Content-Length" in headers
        # The bytes of an encoded body have no offsets that a later Range could name.
        validator = None if encoded else validator
        return _stream(response, 0, length, validator, policy, framed=framed, length=length)
    if status == 206:
        match = _CONTENT_RANGE.fullmatch(headers.get("Content-Range", "").strip())
        if match is None or match[1] is None:
            raise SourceError("transient", "HTTP 206 that does not say which bytes it brings")
        if int(match[1]) != start:
            raise SourceError(
                "transient", f"HTTP 206 from byte {match[1]} where byte {start} was asked for"
            )
        total = None if match[3] == "*" else int(match[3])
        length = int(match[2]) - int(match[1]) + 1
        return _stream(
            response, start, total, validator, policy, framed=True, length=length, ranged=True
        )
    if status == 416:
        match = _CONTENT_RANGE.fullmatch(headers.get("Content-Range", "").strip())
        if match is not None and match[3] == str(start):
            response.close()
            return Reply(start, start, validator, lambda _: b"", lambda: None)
        raise SourceError("changed", "HTTP 416: it has no byte where the rest should begin")
    reason = f"HTTP {status} {response.reason or ''}".rstrip()
    if status in (401, 403, 407):
        raise SourceError("denied", reason)
    if status in _AGAIN or status >= 500:
        raise SourceError("transient", reason, retry_after(headers.get("Retry-After"), policy))
    raise SourceError("gone", reason)


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
    import requests
    import urllib3

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
        except (urllib3.exceptions.HTTPError, requests.RequestException, OSError) as error:
            raise SourceError("transient", cause(error)) from None
        came += len(data)
        if not data and length is not None and came < length and not decode:
            raise SourceError("transient", f"the connection ended {length - came} bytes early")
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


def retry_after(value: str | None, policy: TransferPolicy) -> float | None:
    """Seconds to wait by a Retry-After header (seconds or date), within the policy's limit."""
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(value).timestamp() - time.time()
        except (TypeError, ValueError):
            return None
    return min(max(seconds, 0.0), policy.retry_after_limit) if seconds == seconds else None


def _validator(headers: Mapping[str, str]) -> str | None:
    """What If-Range may carry: a strong ETag, else Last-Modified."""
    tag = headers.get("ETag", "").strip()
    if tag.startswith('"') and tag.endswith('"') and len(tag) > 2:
        return tag
    return headers.get("Last-Modified") or None


def _length(value: str | None) -> int | None:
    return int(value) if value is not None and value.strip().isdigit() else None


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
    # urllib3 begins with the connection object's repr.
    return re.sub(r"^.*?object at 0x[0-9a-f]+>: ", "", text) or type(found).__name__
