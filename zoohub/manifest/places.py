"""Where the files of indexes lie: below whatever compiles, opens or fetches them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from zoohub.errors import ManifestError
from zoohub.settings import Settings

PACKAGE = Path(__file__).resolve().parent.parent
DATASETS = "datasets.yaml"
COMPILED = "index.jsonl.gz"


def checkout_index() -> Path | None:
    """`index/` beside the package, if this is a checkout and not an installed package."""
    folder = PACKAGE.parent / "index"
    return folder if (folder / "overrides.yaml").is_file() else None


def yaml_files(folder: Path) -> Iterator[Path]:
    """`<task>/<family>.yaml` under a folder, sorted; the file itself, if it is one."""
    if not folder.is_dir():
        yield folder
        return
    for task in sorted(os.scandir(folder), key=lambda entry: entry.name):
        if task.is_dir() and not task.name.startswith("."):
            for file in sorted(os.scandir(task.path), key=lambda entry: entry.name):
                if file.name.endswith((".yaml", ".yml")) and not file.name.startswith("."):
                    yield Path(file.path)


def signature(files: Iterable[Path], layout: int) -> str:
    """Changes when a file is added, removed, renamed or written; nothing is read.

    Measured: 3 ms for 400 files.
    """
    import zlib

    low, high = layout, layout + 1
    for file in files:
        try:
            found = file.stat()
        except OSError as error:
            raise ManifestError(f"the index {file} cannot be read: {error.strerror}") from None
        line = f"{file}\0{found.st_mtime_ns}\0{found.st_size}\0{found.st_ino}\n".encode()
        # Two checksums for 64 bits: this tells versions of a cache apart, nobody is kept out.
        low, high = zlib.crc32(line, low), zlib.crc32(line[::-1], high)
    return f"{low:08x}{high:08x}"


def is_remote(location: str) -> bool:
    """Whether an index's location is a URL that has to be fetched."""
    return location.startswith(("https://", "http://"))


def folder_of(url: str, settings: Settings) -> Path:
    """Where the index fetched from `url` is kept."""
    import hashlib

    return settings.home / "index" / "remote" / hashlib.sha256(url.encode()).hexdigest()[:16]


def fetched_file(url: str, settings: Settings) -> Path:
    """The last good version of the index at `url`.

    Raises:
        ManifestError: it was never fetched, or before its signature was asked for; says how to.
    """
    folder = folder_of(url, settings)
    file = folder / COMPILED
    if not file.is_file():
        raise ManifestError(f"the index {url} has not been fetched yet; run `zoohub index update`")
    if settings.trusted_keys:
        from zoohub.manifest.memory import Memory

        if Memory(folder).signer not in settings.trusted_keys:
            raise ManifestError(
                f"ZOOHUB_TRUSTED_KEYS is set, and the index {url} was fetched without a signature "
                "of one of them; run `zoohub index update`"
            )
    return file
