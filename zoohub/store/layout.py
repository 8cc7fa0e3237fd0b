"""Where things lie in the store.

blobs/sha256/ab/<hash>.<ext>       a published file, read-only
blobs/sha256/ab/<hash>.<ext>.json  its last verification and the hash of each piece
refs/<hash of URL>.json            the hash recorded when that URL was first downloaded
refs/<…>.mirrored.json             the hash of what a mirror gave in that URL's place
compiled/<key>.json                which blob is the compiled form of what has that key
compiled/<hash of path>.seen       the hash of a user's own file, and what it looked like
partial/                           unfinished downloads, see `claims`
quarantine/                        bytes that were not what was declared, each with a record
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoohub.manifest.entry import Checkpoint

_HASH = re.compile(r"[0-9a-f]{64}")
_EXTENSION = re.compile(r"[a-z0-9]{1,12}(\.[a-z0-9]{1,12})?")


def is_sha256(text: str) -> bool:
    """Whether a text is a full SHA-256 in lower case: the only thing that ever names a blob."""
    return _HASH.fullmatch(text) is not None


def url_key(url: str) -> str:
    """The key of a file known only by where it comes from."""
    return hashlib.sha256(url.encode("utf-8", "surrogatepass")).hexdigest()


def file_key(checkpoint: Checkpoint) -> str:
    """What an unfinished download is called: the declared full hash, else the URL's hash."""
    full = full_sha256(checkpoint)
    if full:
        return full
    return url_key(checkpoint.sources[0] if checkpoint.sources else checkpoint.reference)


def full_sha256(checkpoint: Checkpoint) -> str | None:
    """The hash that alone decides what the file is; None unless it is declared in full."""
    if checkpoint.declared != "sha256" or checkpoint.sha256 is None:
        return None
    value = checkpoint.sha256.lower()
    return value if is_sha256(value) else None


def extension(format: str) -> str:
    """A format as a file's extension; hostile or strange ones become `bin`."""
    text = format.lower().lstrip(".")
    # `.json` would take the place of a blob's own record.
    return text if _EXTENSION.fullmatch(text) and text != "json" else "bin"


@dataclass(frozen=True, slots=True)
class Layout:
    """The store's paths below `root`. No path here depends on anything but hashes."""

    root: Path

    @property
    def blobs(self) -> Path:
        """Folder of published files."""
        return self.root / "blobs" / "sha256"

    @property
    def refs(self) -> Path:
        """Folder of recorded hashes."""
        return self.root / "refs"

    @property
    def compiled(self) -> Path:
        """Folder of what is said of compiled forms."""
        return self.root / "compiled"

    @property
    def partial(self) -> Path:
        """Folder of unfinished downloads."""
        return self.root / "partial"

    @property
    def quarantine(self) -> Path:
        """Folder of wrong bytes."""
        return self.root / "quarantine"

    def blob(self, sha256: str, extension: str) -> Path:
        """Path of a published file."""
        if not is_sha256(sha256):
            raise ValueError(f"not a SHA-256: {sha256!r}")
        return self.blobs / sha256[:2] / f"{sha256}.{extension}"

    def ref(self, url: str) -> Path:
        """Path of a URL's record."""
        return self.refs / f"{url_key(url)}.json"

    def mirrored(self, url: str) -> Path:
        """Path of the record of what a mirror gave in a URL's place."""
        return self.refs / f"{url_key(url)}.mirrored.json"


def record_path(blob: Path) -> Path:
    """The record beside a published file."""
    return blob.with_name(blob.name + ".json")
