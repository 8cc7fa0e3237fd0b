"""Picture files looked at before anything is trained on them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from zoohub.vision.image import IMAGE_SUFFIXES

# Pictures of so many bytes together are decoded beforehand, which takes two cores some seconds; of
# more, only the headers are read. What fails later is left out when it is met (`batches.py`).
DECODED_BYTES = 200 * 2**20


def picture_files(folder: Path) -> list[Path]:
    """The picture files below `folder`, by suffix, sorted; nothing hidden."""
    found = []
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [
            Path(parent, name)
            for name in names
            if not name.startswith(".") and Path(name).suffix.lower() in IMAGE_SUFFIXES
        ]
    return sorted(found)


def find_unreadable(paths: Sequence[Path]) -> dict[Path, str]:
    """The files that are no readable pictures, and why."""
    sizes = [_size(path) for path in paths]
    decode = sum(size or 0 for size in sizes) <= DECODED_BYTES
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        reasons: Iterable[str | None] = pool.map(
            lambda path, size: _problem(path, size, decode), paths, sizes
        )
        return {path: reason for path, reason in zip(paths, reasons, strict=True) if reason}


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


def _problem(path: Path, size: int | None, decode: bool) -> str | None:
    from PIL import Image

    if size == 0:
        return "empty file"
    try:
        with Image.open(path) as picture:
            if decode:
                picture.draft("RGB", (32, 32))  # all the bytes of a JPEG, few of its pixels
                picture.load()
    except FileNotFoundError:
        return "no such file"
    except Exception as error:  # a decoder may raise anything on a damaged file
        text = str(error)
        return "not a picture" if "cannot identify" in text else text or type(error).__name__
    return None
