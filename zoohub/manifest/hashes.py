"""`manifest.json` of a mirror: which files it holds, their SHA-256 and their sizes.

Read by the mirror's own commands and, where it is signed by a trusted key, by clients that need
the full hash of a file whose index entry has none.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from zoohub.core.json_reader import Json, parse_json
from zoohub.errors import ManifestError

NAME = "manifest.json"
SCHEMA = 1
MAX_BYTES = 512 * 1024**2

_HEX = frozenset("0123456789abcdef")


@dataclass(frozen=True, slots=True)
class FileRecord:
    """One file of a mirror: SHA-256 (64 hex digits) and size in bytes.

    `marks` are the first 16 hex digits of the SHA-256 of all bytes up to the end of each 8 MiB, so
    that a repair knows which to fetch again; empty where they are not known. What is right, the
    whole SHA-256 alone decides.
    """

    sha256: str
    size: int
    marks: tuple[str, ...] = field(default=(), compare=False)

    def to_json(self) -> dict[str, Json]:
        """As it stands in the file."""
        known: dict[str, Json] = {"marks": [*self.marks]} if self.marks else {}
        return {"sha256": self.sha256, "size": self.size, **known}


@dataclass(frozen=True)
class HashManifest:
    """All files of a mirror by their path below it, with `/` on every system.

    `serial` grows whenever the mirror is published anew; `created` is a time in ISO 8601;
    `content` is a fingerprint of what else the mirror publishes (index, pages), so that a sync
    knows whether anything is to be written.
    """

    serial: int = 0
    created: str | None = None
    content: str | None = None
    files: Mapping[str, FileRecord] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """The file's content; equal manifests give equal bytes."""
        head = {
            "schema": SCHEMA,
            "serial": self.serial,
            "created": self.created,
            "content": self.content,
        }
        lines = [f" {json.dumps(key)}: {json.dumps(value)}," for key, value in head.items()]
        files = ",\n".join(
            f"  {json.dumps(path)}: " + json.dumps(record.to_json())
            for path, record in sorted(self.files.items())
        )
        text = "\n".join(["{", *lines, ' "files": {', files, " }", "}", ""])
        return text.encode()


def parse_hashes(data: bytes, what: str) -> HashManifest:
    """Read a manifest, trusting nothing in it.

    Raises:
        ManifestError: it is malformed, of a newer schema, or names a path outside the mirror.
    """
    try:
        content = parse_json(data, what, max_bytes=MAX_BYTES)
    except ManifestError as error:
        raise ManifestError(f"{what} is no mirror's manifest: {error}") from None
    listed = content.get("files") if isinstance(content, dict) else None
    if not isinstance(content, dict) or not isinstance(listed, dict):
        raise ManifestError(f"{what} is no mirror's manifest: it is not JSON with `files`")
    if content.get("schema") != SCHEMA:
        raise ManifestError(
            f"{what} has schema {content.get('schema')!r:.40}, this zoohub reads schema {SCHEMA}; "
            "upgrade zoohub (pip install -U zoohub)"
        )
    serial, created, mark = (content.get(key) for key in ("serial", "created", "content"))
    if type(serial) is not int or serial < 0:
        raise ManifestError(f"{what}: serial must be a whole number, found {serial!r:.60}")
    files = {path: _record(path, value, what) for path, value in listed.items()}
    return HashManifest(
        serial,
        created if isinstance(created, str) else None,
        mark if isinstance(mark, str) else None,
        files,
    )


def _record(path: str, value: Json, what: str) -> FileRecord:
    stated = value if isinstance(value, dict) else {}
    sha256, size, marks = stated.get("sha256"), stated.get("size"), stated.get("marks", [])
    if (
        not isinstance(sha256, str)
        or len(sha256) != 64
        or not _HEX.issuperset(sha256)
        or type(size) is not int
        or size < 0
    ):
        raise ManifestError(f"{what}: {path!r:.200} has no SHA-256 and size")
    if not is_inside(path):
        raise ManifestError(f"{what}: {path!r:.200} is not a path below the mirror; refused")
    hashes = tuple(m for m in marks if isinstance(m, str)) if isinstance(marks, list) else ()
    if not isinstance(marks, list) or len(hashes) != len(marks):
        raise ManifestError(f"{what}: the marks of {path!r:.200} are no hashes")
    return FileRecord(sha256, size, hashes)


def is_inside(path: str) -> bool:
    """Whether a manifest's path stays below the mirror's folder on every system."""
    names = PurePosixPath(path).parts
    return (
        bool(names)
        and path == "/".join(names)
        and not any(
            name in (".", "..") or "\\" in name or ":" in name or not name.isprintable()
            for name in names
        )
    )
