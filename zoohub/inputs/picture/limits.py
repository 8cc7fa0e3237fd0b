"""How large a picture may be: a file of 20 kB can unfold to gigabytes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from zoohub.errors import DataError
from zoohub.settings import load_settings

if TYPE_CHECKING:
    from PIL import Image

_ALWAYS = 1_000_000  # pixels that no setting forbids
_BYTES_A_PIXEL = 11  # measured: a picture, its copy in RGB and what resizing takes


def open_limited(file: Path | BinaryIO, name: str | None = None) -> Image.Image:
    """`PIL.Image.open`, which reads the header only, with zoohub's limit in place of Pillow's.

    Raises:
        DataError: Pillow refuses the picture for its size, and so does the setting.
        OSError and others: as Pillow does.
    """
    from PIL import Image

    try:
        return Image.open(file)
    except Image.DecompressionBombError as error:
        found = re.search(r"\((\d+) pixels\)", str(error))
        pixels = int(found[1]) if found else 0
        limit = load_settings().max_pixels
        if pixels == 0 or pixels > limit:
            raise DataError(f"{name or file}: {_complaint(pixels, limit)}") from None
        Image.MAX_IMAGE_PIXELS = limit  # Pillow's own knob, turned as far as the user has said
        return Image.open(file)


def check_size(image: Image.Image, name: str) -> None:
    """Refuse a picture, not yet decoded, of more pixels than the setting allows.

    Raises:
        DataError: says how many it has and how to raise the limit.
    """
    check_pixels(image.width, image.height, name)


def check_pixels(width: int, height: int, name: str) -> None:
    """As `check_size`, of what has no image yet."""
    why = _too_many(width * height)
    if why:
        raise DataError(f"{name}: {why}")


def too_large(image: Image.Image) -> str | None:
    """What `check_size` complains of; None where there is nothing."""
    return _too_many(image.width * image.height)


def _too_many(pixels: int) -> str | None:
    if pixels <= _ALWAYS:
        return None
    limit = load_settings().max_pixels
    return None if pixels <= limit else _complaint(pixels, limit)


def _complaint(pixels: int, limit: int) -> str:
    memory = pixels * _BYTES_A_PIXEL / 1e9
    return (
        f"{pixels / 1e6:.0f} megapixels, which take about {memory:.1f} GB to read; the limit is "
        f"{limit / 1e6:.0f}: make it smaller, or set ZOOHUB_MAX_PIXELS={pixels}"
    )
