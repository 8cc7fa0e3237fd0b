"""Files that are no checkpoints, called what they are."""

from __future__ import annotations

import re
from pathlib import Path

from zoohub.checkpoint.source import Source
from zoohub.core.counting import counted
from zoohub.errors import CheckpointCorrupt, CheckpointError

# MindSpore's encryption modes: AES-GCM, AES-CBC, SM4-CBC (little-endian magic numbers).
_ENCRYPTED = (b"\xd8\x5e\x3a\x7f", b"\xd9\x5e\x3a\x7f", b"\xda\x5e\x3a\x7f")
# A pickled number with which torch.save began before version 1.6.
LEGACY_TORCH = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"
_COMPILED = "for inference: `zoohub predict` and zoohub.predict take it as it is"
_ELSEWHERE = "which zoohub downloads and verifies, but does not read"

_FOREIGN: tuple[tuple[int, bytes, str], ...] = (
    (
        0,
        b"version https://git-lfs",
        "a git-LFS pointer, not the file it points to (run `git lfs pull`)",
    ),
    (0, b"\x1f\x8b", "a gzip archive: unpack it"),
    (0, b"BZh", "a bzip2 archive: unpack it"),
    (0, b"\xfd7zXZ\x00", "an xz archive: unpack it"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive: unpack it"),
    (0, b"\x28\xb5\x2f\xfd", "a zstandard archive: unpack it"),
    (0, b"Rar!\x1a\x07", "a RAR archive: unpack it"),
    (257, b"ustar\x00", "a tar archive: unpack it"),
    (0, b"\x89HDF\r\n\x1a\n", "an HDF5 file, as Keras writes them"),
    (0, b"\x89PNG", "a PNG picture"),
    (0, b"\xff\xd8\xff", "a JPEG picture"),
    (0, b"GIF8", "a GIF picture"),
    (0, b"RIFF", "a RIFF file (a picture, a sound or a film)"),
    (0, b"%PDF", "a PDF document"),
    (0, b"\x93NUMPY", "a NumPy array file: give {name: array} as a dict instead"),
    (0, b"\x7fELF", "a program"),
    (0, b"MZ", "a program"),
    (0, b"SQLite format 3", "an SQLite database"),
    (0, b"GGUF", "a GGUF file, as llama.cpp reads them"),
    (0, b"IMOD", f"an .om model for Ascend inference through ACL, {_ELSEWHERE}"),
    (4, b"MSL", f"an .ms model for MindSpore Lite, {_ELSEWHERE}"),
    (4, b"TFL3", f"a TensorFlow Lite model, {_ELSEWHERE}"),
    (0, b"<?xml", "an XML document (often a server's error message)"),
)
# ModelProto {string ir_version = 1; string producer_name = 2; …}: a .ckpt has 0x0a in third place.
_MINDIR = re.compile(rb"\x0a[\x01-\x10]\d+(\.\d+)*[\x12\x1a]")
# ModelProto {int64 ir_version = 1; producer_name = 2, domain = 4, graph = 7, opset_import = 8}
_ONNX = re.compile(rb"\x08[\x01-\x7f][\x12\x1a\x22\x3a\x42]")
_TEXT = re.compile(rb"[\t\n\r\x20-\x7e\x80-\xff]{24,}")


def refuse_foreign(source: Source) -> None:
    """Say so where the first bytes belong to something that is surely no checkpoint.

    Raises:
        CheckpointCorrupt: an error page, an archive, an encrypted file…
        CheckpointError: a graph, or another runtime's model, which is as sound as can be.
    """
    start = bytes(source.buffer[:512])
    if start.startswith(_ENCRYPTED):
        raise CheckpointCorrupt(
            f"{source.path} is encrypted by MindSpore (save_checkpoint with enc_key). zoohub reads "
            "plain files: load it with mindspore.load_checkpoint(dec_key=…) and save it again."
        )
    # A .safetensors begins with a length, which can look like any of the magic numbers below.
    if start[8:9] == b"{" and int.from_bytes(start[:8], "little") < source.size:
        return
    name = _name_of(start)
    if name and (_COMPILED in name or _ELSEWHERE in name):
        raise CheckpointError(f"{source.path} is {name}, no checkpoint of named parameters.")
    if name:
        raise CheckpointCorrupt(f"{source.path} is {name}, no checkpoint of named parameters.")
    if not start.strip(b"\x00") and source.buffer.find(b"\x01", 0, 4096) < 0:
        source.corrupt(0, "only zeros: the file was reserved but never written")


def refuse_folder(path: Path) -> None:
    """Say what to do with a folder of files that together are one checkpoint.

    Raises:
        CheckpointError: always.
    """
    ranks = sorted(path.glob("rank_*"))
    if ranks:
        raise CheckpointError(
            f"{path} holds a checkpoint in slices, one for each of "
            f"{counted(len(ranks), 'device')} "
            f"({ranks[0].name}, …): merge them first with "
            "mindspore.merge_sliced_parameter or mindspore.transform_checkpoints"
        )
    if (path / "run.json").is_file():
        raise CheckpointError(f"{path} is the folder of a run: zoohub.load({str(path)!r}) loads it")
    kinds = (".index.json", ".ckpt", ".safetensors", ".pth", ".bin")
    found = [p.name for kind in kinds for p in sorted(path.glob(f"*{kind}"))]
    hint = f"give one of its files ({', '.join(found[:3])}, …)" if found else "give a file"
    raise CheckpointError(f"{path} cannot be read: it is a folder; {hint}")


def _name_of(start: bytes) -> str | None:
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<!doctype", b"<html", b"<head")):
        return f"an HTML page, often a server's error message ({start[:40]!r})"
    if _MINDIR.match(start):
        return f"a MINDIR graph, {_COMPILED}"
    if start[:1] == b"\n" or start.startswith(LEGACY_TORCH):
        return None  # behind that byte, a .ckpt can look like anything
    for offset, magic, name in _FOREIGN:
        if start.startswith(magic, offset):
            return f"{name} (begins with {start[:16]!r})"
    if _ONNX.match(start):
        return f"an ONNX graph, {_COMPILED}"
    if start[:1] == b"\x80" and len(start) > 1 and 2 <= start[1] <= 5:
        return "a Python pickle that PyTorch did not write, which zoohub never runs"
    if _TEXT.match(start) and not start.startswith(b"PK"):
        kind = "a JSON document" if text[:1] in (b"{", b"[") else "a text"
        return f"{kind} (begins with {start[:16]!r})"
    return None
