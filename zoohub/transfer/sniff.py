"""What wrong bytes look like, judged by the first of them: it tells the user what went wrong."""

from __future__ import annotations

_LOOKS = (
    (b"version https://git-lfs", "a Git LFS pointer, not the file it points to"),
    (b"\x1f\x8b", "gzip data"),
    (b"PK\x03\x04", "a zip archive"),
    (b"<?xml", "an XML document, perhaps a storage service's error message"),
    (b"{", "JSON, perhaps an error message"),
)
_PAGES = (b"<!doctype html", b"<html", b"<head", b"<script")


def looks_like(head: bytes) -> str | None:
    """What the first bytes of a file say it is; None where they say nothing."""
    if not head:
        return "an empty file"
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if text[:64].lower().startswith(_PAGES):
        return "an HTML page, perhaps a login or error page"
    return next((name for magic, name in _LOOKS if text.startswith(magic)), None)


def is_no_checkpoint(head: bytes) -> bool:
    """Whether a file without a hash is certainly not what was asked for."""
    looks = looks_like(head)
    return looks is not None and looks.startswith(("an HTML", "a Git LFS", "an XML", "an empty"))
