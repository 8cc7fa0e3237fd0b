"""Opening a checkpoint file of whatever format."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from zoohub.checkpoint.ckpt import check_crc, parse_ckpt
from zoohub.checkpoint.pth import check_members, parse_pth
from zoohub.checkpoint.safetensors import parse_safetensors
from zoohub.checkpoint.source import Source, refuse_foreign
from zoohub.checkpoint.weights import Array, Contents, Weights
from zoohub.errors import CheckpointCorrupt, CheckpointError

_PARSERS: dict[str, Callable[[Source], Contents]] = {
    "ckpt": parse_ckpt,
    "safetensors": parse_safetensors,
    "pth": parse_pth,
}
_SUFFIXES = {".ckpt": "ckpt", ".safetensors": "safetensors", ".pth": "pth", ".pt": "pth"}


def open_checkpoint(
    path: Path | str,
    format: str | None = None,
    *,
    verify: bool = False,
) -> Weights:
    """Map a checkpoint file and read where its tensors are, not the tensors themselves.

    `format` is `ckpt`, `safetensors` or `pth`; by default the content tells (published files have
    no reliable names). `verify` also compares the bytes with the CRC in the file, where it has
    one; that reads all of it.

    Raises:
        CheckpointCorrupt: damaged, cut short, encrypted, or not a checkpoint; names the offset.
        CheckpointError: missing, unreadable, or a kind of checkpoint zoohub does not read.
    """
    if format is not None and format not in _PARSERS:
        raise CheckpointError(f"no format {format!r}: zoohub reads {', '.join(_PARSERS)}")
    source = Source(Path(path))
    refuse_foreign(source)
    source.advise("MADV_RANDOM")  # headers lie far apart
    weights = Weights(source, _parse(source, format))
    source.advise("MADV_NORMAL")
    if verify and weights.format == "ckpt":
        check_crc(source)
    elif verify and weights.format == "pth":
        check_members(source)
    return weights


def load_weights(path: Path | str, format: str | None = None) -> dict[str, Array]:
    """All arrays of a checkpoint file by name, without MindSpore; the file's order is kept.

    Arrays are views of the mapped file where possible (see `Weights`): data is read when used,
    and writing to an array never changes the file. bfloat16 comes as float32.

    Raises:
        CheckpointCorrupt, CheckpointError: as `open_checkpoint`.
    """
    return dict(open_checkpoint(path, format))


def detect_format(source: Source) -> str:
    """The format by the first bytes, else by the file's name."""
    start = source.buffer[:10]
    if start[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return "pth"
    if start[8:9] == b"{":
        # A .ckpt's record could hold that byte too, but not behind a plausible header length.
        length = int.from_bytes(start[:8], "little")
        if start[0] != 0x0A or length <= source.size:
            return "safetensors"
    if start[:1] == b"\x0a":
        return "ckpt"
    return _SUFFIXES.get(source.path.suffix.lower(), "ckpt")


def _parse(source: Source, format: str | None) -> Contents:
    found = detect_format(source)
    if format is None or format == found:
        return _PARSERS[found](source)
    try:
        return _PARSERS[format](source)
    except CheckpointCorrupt as error:
        raise CheckpointCorrupt(f"{error} (read as {format}; it looks like {found})") from None
