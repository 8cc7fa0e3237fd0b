"""Files made byte by byte, for the tests and the fuzz driver of this folder."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from typing import Any

import numpy as np


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def field(number: int, content: bytes) -> bytes:
    """A length-delimited protobuf field."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def tensor_proto(dims: list[int], kind: str, content: bytes, *, packed: bool = False) -> bytes:
    if packed:
        shape = field(1, b"".join(map(varint, dims))) if dims else b""
    else:
        shape = b"".join(b"\x08" + varint(d) for d in dims)
    return shape + field(2, kind.encode()) + field(3, content)


def record(name: str, dims: list[int], kind: str, content: bytes, *, packed: bool = False) -> bytes:
    """One value of a .ckpt."""
    tensor = tensor_proto(dims, kind, content, packed=packed)
    return field(1, field(1, name.encode()) + field(2, tensor))


def float_record(name: str, array: Any) -> bytes:
    array = np.asarray(array, "<f4")
    return record(name, list(array.shape), "Float32", array.tobytes())


def safetensors(header: Any, data: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def pth(pickled: bytes, storages: dict[str, bytes], **more: bytes) -> bytes:
    """A PyTorch-like archive, written by Python's own zipfile."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("archive/data.pkl", pickled)
        for key, content in storages.items():
            archive.writestr(f"archive/data/{key}", content)
        for name, content in more.items():
            archive.writestr(f"archive/{name}", content)
    return out.getvalue()


class Evil:
    """Pickles into a call of anything."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> Any:
        return self.call


def evil_pickle(function: Any, *arguments: Any, protocol: int = 2) -> bytes:
    return pickle.dumps({"weight": Evil(function, *arguments)}, protocol=protocol)


def small_arrays() -> dict[str, np.ndarray]:
    """A little of everything that all three formats hold."""
    rng = np.random.default_rng(0)
    return {
        "conv.weight": rng.standard_normal((4, 3, 2, 2)).astype(np.float32),
        "bn.gamma": np.ones(4, np.float32),
        "scalar": np.array(3.5, np.float32),
        "empty": np.zeros((0, 3), np.float32),
        "steps": np.arange(3),
        "half": np.array([0.5, 2.0], np.float16),
        "flags": np.array([True, False]),
    }
