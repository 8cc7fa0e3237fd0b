"""What is opened by content, what is refused by its first bytes, and what writing guarantees."""

from __future__ import annotations

import ctypes
import gzip
import mmap
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from checkpoint_files import record, small_arrays

from zoohub.checkpoint import (
    load_weights,
    open_checkpoint,
    write_ckpt,
    write_pth,
    write_safetensors,
)
from zoohub.checkpoint.dtypes import narrow_bfloat16, widen_bfloat16
from zoohub.checkpoint.source import read_ahead
from zoohub.core.atomic import replacing
from zoohub.errors import CheckpointCorrupt, CheckpointError

WRITERS = {"ckpt": write_ckpt, "safetensors": write_safetensors, "pth": write_pth}


@pytest.mark.parametrize("format", WRITERS)
def test_the_content_tells_the_format_whatever_the_name(tmp_path: Path, format: str) -> None:
    path = WRITERS[format](tmp_path / "a.bin", small_arrays())
    assert open_checkpoint(path).format == format
    assert open_checkpoint(path, format).format == format


@pytest.mark.parametrize("format", WRITERS)
@pytest.mark.parametrize("target", WRITERS)
def test_files_convert_into_each_other_exactly(tmp_path: Path, format: str, target: str) -> None:
    arrays = small_arrays()
    first = WRITERS[format](tmp_path / "first", arrays)
    second = WRITERS[target](tmp_path / "second", open_checkpoint(first))
    read = load_weights(second)
    assert read.keys() == arrays.keys()
    for name, array in arrays.items():
        assert read[name].dtype == array.dtype
        assert np.array_equal(read[name], array)


@pytest.mark.parametrize("format", WRITERS)
def test_writing_twice_gives_the_same_bytes(tmp_path: Path, format: str) -> None:
    one = WRITERS[format](tmp_path / "one", small_arrays()).read_bytes()
    assert WRITERS[format](tmp_path / "two", small_arrays()).read_bytes() == one


@pytest.mark.parametrize("format", WRITERS)
@pytest.mark.parametrize(
    "array", [np.array(["text"]), np.array([None]), np.array([1], "M8[s]"), np.ones(2, "f4,i4")]
)
def test_arrays_no_format_holds_are_refused_and_nothing_is_left(
    tmp_path: Path, format: str, array: Any
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(CheckpointError, match="'w'"):
        WRITERS[format](folder / "a", {"ok": np.ones(2), "w": array})
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("format", WRITERS)
def test_any_memory_layout_and_byte_order_is_written_right(tmp_path: Path, format: str) -> None:
    base = np.arange(24, dtype=np.float32).reshape(4, 6)
    arrays = {"f": np.asfortranarray(base), "step": base[::2, ::3], "big": base.astype(">f4")}
    read = load_weights(WRITERS[format](tmp_path / "a", arrays))
    assert all(np.array_equal(read[name], array) for name, array in arrays.items())


FOREIGN = {
    "an HTML page": (b"\n<!DOCTYPE html><html>not found</html>", "an HTML page, often a server's"),
    "a gzip archive": (gzip.compress(b"x" * 100), "a gzip archive"),
    "a git-LFS pointer": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n",
        "a git-LFS pointer, not the file",
    ),
    "an XML error": (b"<?xml version='1.0'?><Error><Code>NoSuchKey</Code></Error>", "an XML"),
    "a zip": (b"PK\x05\x06" + bytes(18), "PyTorch did not write"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(20), "a PNG picture"),
    "zeros": (bytes(5000), "only zeros: the file was reserved"),
    "a text": (b"hello world, this is no checkpoint", "is a text .*, no checkpoint"),
    "a short text": (b"hello world", "b'hello wo' where a parameter should"),
    "JSON": (b'{"metadata": {"total_size": 100}}', "is a JSON document"),
    "YAML": (b"# Recipe\nmodel: resnet50\nepochs: 5\n", "is a text"),
    "MINDIR": (b"\x0a\x050.1.1\x12\x09MindSpore" + bytes(99), "is a MINDIR graph, for inference"),
    "ONNX": (b"\x08\x07\x12\x07pytorch" + bytes(99), "is an ONNX graph, for inference"),
    "MindSpore Lite": (b"\x20\0\0\0MSL2" + bytes(99), "is an .ms model .* does not read"),
    "an .om model": (b"IMOD" + bytes(99), "is an .om model .* does not read"),
    "a pickle": (b"\x80\x04\x95\x10" + bytes(99), "is a Python pickle .* never runs"),
    "a tar archive": (b"x.ckpt".ljust(257, b"\0") + b"ustar\x0000", "is a tar archive: unpack"),
    "NumPy's arrays": (b"\x93NUMPY\x01\x00v\x00{'descr'", "is a NumPy array file"),
    "one byte": (b"\x0a", "a number cut short"),
}


@pytest.mark.parametrize(("data", "message"), FOREIGN.values(), ids=FOREIGN)
def test_foreign_files_are_called_what_they_are(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "model.ckpt"
    path.write_bytes(data)
    sound = "graph, for" in message or "does not read" in message
    kind = CheckpointError if sound else CheckpointCorrupt
    for format in (None, "ckpt"):
        with pytest.raises(CheckpointError) as caught:
            open_checkpoint(path, format)
        assert type(caught.value) is kind
        assert "model.ckpt" in str(caught.value)
    with pytest.raises(kind, match=message):
        open_checkpoint(path)


def test_an_empty_file_is_called_empty(tmp_path: Path) -> None:
    path = tmp_path / "model.ckpt"
    path.touch()
    with pytest.raises(CheckpointCorrupt, match=r"model\.ckpt is empty \(0 bytes\)"):
        open_checkpoint(path)


def test_what_cannot_be_read_is_no_corruption(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.ckpt", tmp_path):
        with pytest.raises(CheckpointError, match="cannot be read") as caught:
            open_checkpoint(path)
        assert not isinstance(caught.value, CheckpointCorrupt)


def test_an_unknown_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no format 'onnx': zoohub reads ckpt, safetensors"):
        open_checkpoint(tmp_path, "onnx")


def test_the_wrong_format_says_which_it_looks_like(tmp_path: Path) -> None:
    path = write_safetensors(tmp_path / "a", small_arrays())
    with pytest.raises(CheckpointCorrupt, match="read as ckpt; it looks like safetensors"):
        open_checkpoint(path, "ckpt")


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    path = folder / "a"
    path.write_bytes(b"old")

    def fail() -> None:
        with replacing(path) as file:
            file.write(b"new")
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        fail()
    assert path.read_bytes() == b"old"
    assert list(folder.iterdir()) == [path]


def test_a_read_only_file_can_be_replaced(tmp_path: Path) -> None:
    path = write_ckpt(tmp_path / "a", {"w": np.ones(2)})
    path.chmod(0o400)
    write_ckpt(path, {"v": np.ones(2)})
    assert list(load_weights(path)) == ["v"]


def test_a_file_can_be_rewritten_while_it_is_mapped(tmp_path: Path) -> None:
    path = write_ckpt(tmp_path / "a", {"w": np.ones(1000)})
    weights = open_checkpoint(path)
    write_ckpt(path, {"w": weights["w"] * 2})
    assert weights["w"].sum() == 1000
    assert load_weights(path)["w"].sum() == 2000


def test_bfloat16_widens_exactly_and_rounds_half_to_even() -> None:
    bits = np.arange(1 << 16, dtype=np.uint16)
    wide = widen_bfloat16(bits)
    finite = np.isfinite(wide)
    assert np.array_equal(narrow_bfloat16(wide)[finite], bits[finite])
    assert np.isnan(widen_bfloat16(narrow_bfloat16(np.array([np.nan])))).all()
    tie = np.array([1 + 2**-8, 1 + 3 * 2**-8], np.float32)
    assert widen_bfloat16(narrow_bfloat16(tie)).tolist() == [1.0, 1 + 2**-6]
    assert np.isinf(widen_bfloat16(narrow_bfloat16(np.array([3.4e38])))).all()
    for shape in ((), (0, 3), (2, 2)):
        value = np.full(shape, -2.5, np.float32)
        assert np.array_equal(widen_bfloat16(narrow_bfloat16(value)), value)


def test_reading_weights_needs_no_mindspore(tmp_path: Path) -> None:
    path = write_ckpt(tmp_path / "a", {"w": np.ones(2)})
    script = (
        "import sys; from zoohub.checkpoint import load_weights; "
        "print(load_weights(sys.argv[1])['w'].sum(), 'mindspore' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, path], check=True, stdout=subprocess.PIPE, text=True
    )
    assert done.stdout.split() == ["2.0", "False"]


@pytest.mark.parametrize("target", WRITERS)
def test_bfloat16_stays_bfloat16_when_converted(tmp_path: Path, target: str) -> None:
    path = tmp_path / "half.ckpt"
    path.write_bytes(record("w", [2], "BFloat16", b"\x80\x3f\x20\xc0"))
    copy = open_checkpoint(WRITERS[target](tmp_path / "copy", open_checkpoint(path)))
    assert copy.table()["w"].dtype == "bfloat16"
    assert copy["w"].tolist() == [1.0, -2.5]


def in_page_cache(path: Path) -> bool:
    """Whether all pages of a file are in memory (Linux)."""
    libc = ctypes.CDLL(None, use_errno=True)
    with path.open("rb") as file:
        view = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
    pages = -(-len(view) // mmap.PAGESIZE)
    resident = (ctypes.c_ubyte * pages)()
    address = ctypes.addressof(ctypes.c_char.from_buffer(view))
    assert libc.mincore(ctypes.c_void_p(address), ctypes.c_size_t(len(view)), resident) == 0
    return all(page & 1 for page in resident)


@pytest.mark.skipif(sys.platform != "linux", reason="reads ahead on Linux")
def test_a_file_is_read_ahead_to_its_end_and_one_that_is_not_there_is_no_matter_yet(
    tmp_path: Path,
) -> None:
    path = tmp_path / "large.ckpt"
    path.write_bytes(bytes(20_000_000))
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    for wanted in (path, tmp_path / "absent.ckpt", tmp_path):
        read_ahead(wanted)
    patience = time.monotonic() + 30
    while not in_page_cache(path) and time.monotonic() < patience:
        time.sleep(0.02)
    assert in_page_cache(path)
