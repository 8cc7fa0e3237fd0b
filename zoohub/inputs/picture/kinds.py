"""Which files are pictures: by suffix, else by their first bytes; and what to say of the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

# What Pillow reads wherever it is installed; a drawing may be saved as one of these.
IMAGE_SUFFIXES = frozenset(
    f".{name}"
    for name in (
        *("jpg", "jpeg", "jpe", "jfif", "pjpeg", "pjp", "mpo", "png", "apng", "bmp", "dib", "gif"),
        *("webp", "tif", "tiff", "ppm", "pgm", "pbm", "pnm", "tga"),
        *("jp2", "j2k", "j2c", "jpc", "jpf", "jpx"),
    )
)
# Pictures that Pillow reads sometimes or never: tried, and named where it does not.
_OTHER_PICTURES = {
    ".avif": "AVIF", ".avifs": "AVIF", ".heic": "HEIC", ".heif": "HEIF", ".hif": "HEIF",
    ".jxl": "JPEG XL", ".svg": "SVG", ".psd": "Photoshop", ".exr": "OpenEXR", ".hdr": "Radiance",
    ".cr2": "raw", ".cr3": "raw", ".nef": "raw", ".arw": "raw", ".dng": "raw", ".raf": "raw",
    ".orf": "raw", ".rw2": "raw",
}  # fmt: skip
# Files that lie beside pictures and need no look inside.
_COMPANIONS = frozenset(
    f".{name}"
    for name in (
        *("txt", "json", "jsonl", "csv", "tsv", "xml", "yaml", "yml", "md", "html", "ini", "log"),
        *("npy", "npz", "mat", "pkl", "py", "db", "zip", "tar", "gz", "ckpt", "onnx", "cache"),
    )
)
_BEGINNINGS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a", b"II*\0", b"MM\0*",
               b"\0\0\0\x0cjP  \r\n")  # fmt: skip
_BRANDS = (b"avif", b"avis", b"heic", b"heix", b"mif1")


def is_picture(path: Path) -> bool:
    """Whether the file is to be tried as a picture: not hidden, and one by its suffix or, where
    that says nothing, by its first bytes."""
    suffix = path.suffix.lower()
    if path.name.startswith(".") or path.name.endswith("~"):
        return False
    if suffix in IMAGE_SUFFIXES or suffix in _OTHER_PICTURES:
        return True
    return suffix not in _COMPANIONS and _begins_as_picture(path)


def unread_format(path: Path) -> str:
    """Why Pillow does not know the file, and what to do."""
    kind = _OTHER_PICTURES.get(path.suffix.lower())
    if kind is None:
        return "not an image in a format that Pillow reads; convert it to JPEG or PNG"
    newer = ", or install Pillow 11.3 or newer" if kind == "AVIF" else ""
    return f"{kind}, which Pillow does not read here; convert it to JPEG or PNG{newer}"


def kinds_found(paths: Iterable[Path]) -> str:
    """What files there are, by suffix: `20 .xyz, 3 without a suffix`; "nothing" of none."""
    counts = Counter(path.suffix.lower() for path in paths if not path.name.startswith("."))
    words = [f"{count} {suffix or 'without a suffix'}" for suffix, count in counts.most_common(5)]
    return ", ".join(words) + (" and others" if len(counts) > 5 else "") or "nothing"


def _begins_as_picture(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            start = file.read(16)
    except OSError:
        return False
    if start[:4] == b"RIFF":
        return start[8:12] == b"WEBP"
    return start.startswith(_BEGINNINGS) or (start[4:8] == b"ftyp" and start[8:12] in _BRANDS)
