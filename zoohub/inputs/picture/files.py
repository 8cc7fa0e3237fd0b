"""Picture files looked at before anything is trained on them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from zoohub.errors import DataError
from zoohub.inputs.picture.kinds import is_picture, kinds_found, unread_format
from zoohub.inputs.picture.limits import open_limited, too_large

# Pictures of so many bytes together are decoded beforehand, which takes two cores some seconds; of
# more, only the headers are read. What fails later is left out when it is met (`batches.py`).
DECODED_BYTES = 200 * 2**20
# Nor is a single picture of so many pixels, which takes much memory: several are read at a time.
_DECODED_PIXELS = 25_000_000


def picture_files(folder: Path) -> list[Path]:
    """The files below `folder` to be tried as pictures, sorted; nothing hidden."""
    found = []
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [path for name in names if is_picture(path := Path(parent, name))]
    return sorted(found)


def other_files(folder: Path) -> str:
    """What lies below a folder without pictures, by suffix."""
    return kinds_found(path for path in folder.rglob("*") if path.is_file())


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
    except (OSError, ValueError):
        return None


def _problem(path: Path, size: int | None, decode: bool) -> str | None:
    from PIL import UnidentifiedImageError

    if size == 0:
        return "empty file"
    try:
        with open_limited(path) as picture:
            picture.draft("RGB", (32, 32))  # all the bytes of a JPEG, few of its pixels
            if why := too_large(picture):
                return why
            if decode and picture.width * picture.height <= _DECODED_PIXELS:
                picture.load()
    except FileNotFoundError:
        return "no such file"
    except UnidentifiedImageError:
        return unread_format(path)
    except DataError as error:
        return str(error).removeprefix(f"{path}: ")
    except OSError as error:
        return error.strerror or str(error)
    except Exception as error:  # a decoder may raise anything on a damaged file
        return str(error) or type(error).__name__
    return None
