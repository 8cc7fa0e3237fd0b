"""safetensors: read and written as its own library does, refused where it is damaged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from checkpoint_files import safetensors, small_arrays
from safetensors.numpy import load_file, save_file

from zoohub.checkpoint import load_weights, open_checkpoint, write_safetensors
from zoohub.errors import CheckpointCorrupt, CheckpointError


def entry(low: int = 0, high: int = 8, dtype: str = "F32", shape: Any = (2,)) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [low, high]}


def put(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "file.safetensors"
    path.write_bytes(data)
    return path


def test_a_file_of_the_library_reads_as_it_was(tmp_path: Path) -> None:
    arrays = small_arrays()
    save_file(arrays, tmp_path / "a.safetensors", metadata={"format": "np", "note": "x"})
    weights = open_checkpoint(tmp_path / "a.safetensors")
    assert dict(weights.texts) == {"format": "np", "note": "x"}
    assert weights.keys() == arrays.keys()
    for name, array in arrays.items():
        assert np.array_equal(weights[name], array)
        assert weights[name].dtype == array.dtype
        assert weights[name].shape == array.shape


def test_the_library_reads_what_zoohub_writes(tmp_path: Path) -> None:
    arrays = small_arrays()
    path = write_safetensors(tmp_path / "a.safetensors", arrays, metadata={"k": "v"})
    read = load_file(path)
    assert read.keys() == arrays.keys()
    assert all(np.array_equal(read[name], array) for name, array in arrays.items())


def test_every_tensor_is_aligned(tmp_path: Path) -> None:
    path = write_safetensors(tmp_path / "a.safetensors", small_arrays())
    assert all(array.flags.aligned for array in load_weights(path).values())


def test_a_header_that_looks_like_gzip_is_still_a_header(tmp_path: Path) -> None:
    length = 0x8B1F
    header = b'{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}'.ljust(length)
    path = put(tmp_path, safetensors(header, bytes(8)))
    assert path.read_bytes()[:2] == b"\x1f\x8b"
    assert list(load_weights(path)) == ["w"]


def test_types_below_eight_bits_are_refused_by_name(tmp_path: Path) -> None:
    path = put(tmp_path, safetensors({"w": entry(dtype="F8_E4M3", shape=(8,))}, bytes(8)))
    with pytest.raises(CheckpointError, match="'w' is F8_E4M3"):
        open_checkpoint(path)


def test_names_the_format_reserves_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="__metadata__"):
        write_safetensors(tmp_path / "a.safetensors", {"__metadata__": np.ones(2)})
    assert not list(tmp_path.glob("*a.safetensors*"))


TWO = {"a": entry(0, 8), "b": entry(8, 16)}
DAMAGED = {
    "a header beyond the end": (b"\x00\x01" + bytes(6) + b"{}", "a header of 256 bytes in a file"),
    "a giant header": (b"\xff" * 8 + b"{}", "more than 67108864"),
    "no JSON": (safetensors(b'{"w":'), "no JSON of this format"),
    "no text": (safetensors(b'{"\xff'), "no JSON of this format"),
    "a list": (safetensors([]), "a header that is a list"),
    "deep nesting": (safetensors(b"[" * 100000), "no JSON of this format"),
    "a giant number": (safetensors(b'{"a":' + b"9" * 5000 + b"}"), "the number 99999"),
    "a fraction": (safetensors({"w": entry(0.5, 8)}), "only whole numbers"),
    "not a number": (safetensors(b'{"w": NaN}'), "only whole numbers"),
    "a name twice": (safetensors(b'{"a":{},"a":{}}'), "a name for a second time"),
    "an unknown type": (safetensors({"w": entry(dtype="F33")}, bytes(8)), "'w' described as"),
    "a negative size": (safetensors({"w": entry(shape=(-2,))}, bytes(8)), "'w' described as"),
    "a shape of texts": (safetensors({"w": entry(shape="ab")}, bytes(8)), "'w' described as"),
    "no mapping": (safetensors({"w": [1, 2]}, bytes(8)), "'w' described as"),
    "half a character": (safetensors({"\ud800": entry()}, bytes(8)), "described as"),
    "a further key": (safetensors({"w": {**entry(), "x": 1}}, bytes(8)), "'w' described as"),
    "another size": (safetensors({"w": entry(0, 7)}, bytes(7)), "7 bytes for 'w', 8 expected"),
    "a giant shape": (safetensors({"w": entry(0, 0, shape=(0, 1 << 60))}), "impossible shape"),
    "cut short": (safetensors(TWO, bytes(15)), "the end, expected at byte"),
    "too long": (safetensors(TWO, bytes(17)), "the end, expected at byte"),
    "a gap": (safetensors({"a": entry(0, 8), "b": entry(9, 17)}, bytes(17)), "the data of 'b'"),
    "an overlap": (safetensors({"a": entry(0, 8), "b": entry(4, 12)}, bytes(12)), "of 'b'"),
    "metadata of numbers": (safetensors({"__metadata__": {"a": 1}}), "metadata that does not"),
    "no parameter": (safetensors({"__metadata__": {"a": "b"}}), "no parameter at all"),
    "too small": (b"{}", "2 bytes, too few"),
}


@pytest.mark.parametrize(("data", "message"), DAMAGED.values(), ids=DAMAGED)
def test_damage_is_named(tmp_path: Path, data: bytes, message: str) -> None:
    with pytest.raises(CheckpointCorrupt, match=message):
        open_checkpoint(put(tmp_path, data), "safetensors")
