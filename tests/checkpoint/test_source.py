"""Whose file it is decides how it is read: published ones are mapped, own ones never."""

from __future__ import annotations

import gc
import io
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from checkpoint_files import small_arrays

from zoohub.checkpoint import (
    load_weights,
    open_checkpoint,
    write_ckpt,
    write_pth,
    write_safetensors,
)
from zoohub.checkpoint.opening import open_weights
from zoohub.checkpoint.pages import Pages
from zoohub.core.paths import local_path
from zoohub.errors import CheckpointCorrupt, CheckpointError, UsageError

WRITERS = {"ckpt": write_ckpt, "safetensors": write_safetensors, "pth": write_pth}
Writer = Callable[..., Path]


@pytest.fixture(params=WRITERS)
def write(request: pytest.FixtureRequest) -> Writer:
    writer: Writer = WRITERS[request.param]
    return writer


def in_place(path: Path, data: bytes) -> None:
    """As `cp`, `rsync --inplace` and `open(…, "w")` do."""
    with path.open("r+b") as file:
        file.write(data)
        file.truncate(len(data))


def test_arrays_of_an_own_file_stay_as_they_are_when_it_is_overwritten_or_cut(
    tmp_path: Path, write: Writer
) -> None:
    path = write(tmp_path / "own", small_arrays())
    for after in (bytes(path.stat().st_size), b""):
        path = write(path, small_arrays())
        arrays = load_weights(path)
        in_place(path, after)
        assert all(np.array_equal(arrays[n], a) for n, a in small_arrays().items())


@pytest.mark.parametrize("after", ["other bytes", "half of it", "nothing"])
def test_a_file_that_changes_while_it_is_read_is_refused(
    tmp_path: Path, write: Writer, after: str
) -> None:
    path = write(tmp_path / "own", {"w": np.ones(100_000, np.float32)})
    weights = open_checkpoint(path)
    data = path.read_bytes()
    in_place(
        path, {"other bytes": bytes(len(data)), "half of it": data[:9999], "nothing": b""}[after]
    )
    with pytest.raises(CheckpointError, match="changed while it was being read; nothing was"):
        weights["w"]


def test_a_file_that_is_replaced_by_another_is_read_to_its_end(
    tmp_path: Path, write: Writer
) -> None:
    path = write(tmp_path / "own", {"w": np.ones(1000)})
    weights = open_checkpoint(path)
    write(path, {"w": np.zeros(1000)})
    assert weights["w"].sum() == 1000


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="looks into /proc")
def test_own_files_are_not_mapped_and_published_ones_are(tmp_path: Path, write: Writer) -> None:
    path = write(tmp_path / "own", small_arrays())
    for published in (False, True):
        weights = open_checkpoint(path, published=published)
        arrays = dict(weights)
        assert (str(path) in Path("/proc/self/maps").read_text()) is published
        del weights, arrays


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="looks into /proc")
def test_a_file_is_closed_when_its_weights_are_gone(tmp_path: Path, write: Writer) -> None:
    path = write(tmp_path / "own", small_arrays())
    weights = open_checkpoint(path)
    opened = {str(p.resolve()) for p in Path("/proc/self/fd").iterdir()}
    assert str(path) in opened
    del weights
    gc.collect()
    assert str(path) not in {str(p.resolve()) for p in Path("/proc/self/fd").iterdir()}


def test_threads_read_one_opened_file(tmp_path: Path, write: Writer) -> None:
    arrays = {f"w{i}": np.full(5000, i, np.float32) for i in range(40)}
    weights = open_checkpoint(write(tmp_path / "own", arrays))
    wrong: list[str] = []

    def read() -> None:
        wrong.extend(n for n, a in arrays.items() if not np.array_equal(weights[n], a))

    threads = [threading.Thread(target=read) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def flipped(path: Path, wanted: bytes) -> Path:
    """One bit of the data changed."""
    data = bytearray(path.read_bytes())
    data[data.index(wanted) + 5] ^= 0x40
    path.write_bytes(data)
    return path


VALUES = np.arange(1000, dtype=np.float32)


@pytest.mark.parametrize("write", [write_ckpt, write_pth])
def test_a_files_own_checksum_counts_wherever_it_is_read_without_a_known_hash(
    tmp_path: Path, write: Writer
) -> None:
    more: dict[str, Any] = {"crc": True} if write is write_ckpt else {}
    path = flipped(write(tmp_path / "own", {"w": VALUES}, **more), VALUES.tobytes())
    for read in (load_weights, open_weights, lambda p: open_weights(p.read_bytes())):
        with pytest.raises(CheckpointCorrupt, match=r"CRC 0x.* is recorded"):
            read(path)
    assert open_checkpoint(path)["w"].shape == (1000,)  # to look into it


def test_a_file_without_a_checksum_is_read(tmp_path: Path) -> None:
    path = flipped(write_ckpt(tmp_path / "own", {"w": VALUES}), VALUES.tobytes())
    assert load_weights(path)["w"].shape == (1000,)


class Parameter:
    """Like MindSpore's."""

    def __init__(self, array: np.ndarray) -> None:
        self.array = array

    def asnumpy(self) -> np.ndarray:
        return self.array


class Network:
    def parameters_dict(self) -> dict[str, Parameter]:
        return {n: Parameter(a) for n, a in small_arrays().items()}


def test_weights_are_taken_from_memory_too(tmp_path: Path, write: Writer) -> None:
    data = write(tmp_path / "own", small_arrays()).read_bytes()
    for given in (data, bytearray(data), memoryview(data), io.BytesIO(data)):
        weights = open_weights(given)
        assert all(np.array_equal(weights[n], a) for n, a in small_arrays().items())
    with (tmp_path / "own").open("rb") as file:
        assert len(open_weights(file)) == len(small_arrays())


@pytest.mark.parametrize(
    "given", [small_arrays(), {n: Parameter(a) for n, a in small_arrays().items()}, Network()]
)
def test_arrays_by_name_are_weights_and_are_copied(given: Any) -> None:
    weights = open_weights(given)
    assert all(np.array_equal(weights[n], a) for n, a in small_arrays().items())
    weights["bn.gamma"][:] = 9
    if isinstance(given, dict):
        first = given["bn.gamma"]
        assert (first.asnumpy() if hasattr(first, "asnumpy") else first).max() == 1


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (3, "a int holds no weights: give a file's path"),
        (None, "a NoneType holds no weights"),
        ([1, 2], "a list holds no weights"),
        (io.StringIO("text"), "a StringIO holds no weights"),
        ({}, "holds no array"),
        ({"w": {}}, "'w' is a dict, not an array"),
        ({"w": ["text"]}, "'w' cannot be written"),
        ({3: np.ones(2)}, "3 cannot be the name of a parameter"),
        (b"", "is empty"),
    ],
)
def test_what_holds_no_weights_is_said_in_a_line(given: Any, message: str) -> None:
    with pytest.raises(CheckpointError, match=message) as caught:
        open_weights(given)
    assert "\n" not in str(caught.value)


def test_a_path_means_the_same_in_every_form(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    write_ckpt(tmp_path / "x.ckpt", {"w": np.ones(2)})
    for form in (
        "~/x.ckpt",
        "x.ckpt",
        "./x.ckpt",
        Path("~/x.ckpt"),
        Path("x.ckpt"),
        tmp_path / "x.ckpt",
    ):
        assert local_path(form) == tmp_path / "x.ckpt"
        assert list(load_weights(form)) == ["w"]


@pytest.mark.parametrize("odd", ["", "a\0b", 3, None, b"x.ckpt", "~nobody-at-all/x"])
def test_what_is_no_path_is_refused(odd: Any) -> None:
    with pytest.raises(UsageError, match="is no path of a file or folder"):
        local_path(odd)


@pytest.mark.parametrize("long", ["x" * 300, "x/" * 3000, "a" * 300 + "/b.onnx"])
def test_a_name_the_system_has_no_room_for_is_refused(long: str) -> None:
    with pytest.raises(UsageError, match="no room for so long a name"):
        local_path(long)


def test_pages_are_the_bytes_of_the_file() -> None:
    data = os.urandom(20_000)

    def read(offset: int, target: memoryview) -> None:
        target[:] = data[offset : offset + len(target)]

    pages = Pages(len(data), read)
    rng = np.random.default_rng(0)
    for _ in range(500):
        start, stop = sorted(rng.integers(0, 20_000, 2).tolist())
        assert pages[start:stop] == data[start:stop]
        assert pages[start] == data[start]
    assert pages[:9] == data[:9]
    assert pages[19_000:99_000] == data[19_000:]
    assert pages.find(data[15_000:15_008]) == 15_000
    assert pages.find(data[15_000:15_008], 0, 15_004) == -1
    assert pages.rfind(data[19_990:19_994], 10_000) == 19_990
    assert pages.rfind(b"x" * 40) == -1
    with pytest.raises(IndexError):
        pages[20_000]


def test_a_network_survives_its_own_file_being_cut_short(tmp_path: Path) -> None:
    """In a process of its own: a map would end it with SIGBUS."""
    pytest.importorskip("mindspore")
    script = (
        "import sys, zoohub, numpy as np\n"
        "from zoohub.checkpoint import write_ckpt\n"
        "path = sys.argv[1]\n"
        "write_ckpt(path, zoohub.load_weights('lenet5@digits'))\n"
        "net = zoohub.load('lenet5@digits', checkpoint=path)\n"
        "before = {p.name: p.asnumpy().copy() for p in net.get_parameters()}\n"
        "open(path, 'w').close()\n"
        "print(all(np.array_equal(p.asnumpy(), before[p.name]) for p in net.get_parameters()))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path / "own.ckpt"],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert done.stdout.split() == ["True"]
