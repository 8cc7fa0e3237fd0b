"""What the headers of a server that may be broken or hostile say. Nothing here ever raises: a
header that makes no sense says nothing (None)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

# No file is larger; int() of longer texts is slow, and refused from 4,300 digits on.
MAX_SIZE = 1 << 50
_DIGITS = re.compile(r"[0-9]{1,16}")
_SECONDS = re.compile(r"[0-9]{1,9}(\.[0-9]{0,9})?")
_RANGE = re.compile(r"bytes\s+(?:([0-9]{1,16})-([0-9]{1,16})|\*)/([0-9]{1,16}|\*)", re.IGNORECASE)
_MAX_TEXT = 1_000
_MAX_REASON = 80


@dataclass(frozen=True, slots=True)
class ContentRange:
    """Bytes `start` to `end` (exclusive; both None for `*`, a range that is not there) of `total`
    (None: not said)."""

    start: int | None
    end: int | None
    total: int | None


def size_of(value: str | None) -> int | None:
    """A number of bytes, as of Content-Length."""
    text = (value or "").strip()
    if not _DIGITS.fullmatch(text):
        return None
    number = int(text)
    return number if number <= MAX_SIZE else None


def content_range(value: str | None) -> ContentRange | None:
    """A Content-Range whose figures fit together."""
    match = _RANGE.fullmatch((value or "").strip())
    if match is None:
        return None
    total = None if match[3] == "*" else int(match[3])
    if total is not None and total > MAX_SIZE:
        return None
    if match[1] is None:
        return ContentRange(None, None, total)
    start, end = int(match[1]), int(match[2]) + 1
    if not start < end <= (MAX_SIZE if total is None else total):
        return None
    return ContentRange(start, end, total)


def retry_after(value: str | None, now: float, limit: float) -> float | None:
    """Seconds to wait by a Retry-After (seconds, or a date beside `now`), at most `limit`."""
    text = (value or "").strip()[:_MAX_TEXT]
    if _SECONDS.fullmatch(text):
        seconds = float(text)
    else:
        try:
            seconds = parsedate_to_datetime(text).timestamp() - now
        except Exception:  # the parser of dates raises whatever its parts do
            return None
    return min(max(seconds, 0.0), limit) if seconds == seconds else None


def validator(headers: Mapping[str, str]) -> str | None:
    """What If-Range may carry: a strong ETag, else Last-Modified."""
    tag = printable(headers.get("ETag"))
    if tag is not None and len(tag) > 2 and tag.startswith('"') and tag.endswith('"'):
        return tag
    return printable(headers.get("Last-Modified"))


def printable(value: str | None) -> str | None:
    """A header's text if it can be sent back: short, ASCII, without control characters."""
    text = (value or "").strip()
    return text if text and len(text) <= _MAX_TEXT and _is_plain(text) else None


def reason(status: int, phrase: str | None) -> str:
    """`HTTP 404 Not Found`: the phrase is the server's own, and cut where it is long."""
    text = " ".join((phrase or "").split())
    return f"HTTP {status} {text[:_MAX_REASON]}".rstrip()


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable()
