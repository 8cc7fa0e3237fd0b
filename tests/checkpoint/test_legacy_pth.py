"""PyTorch's format from before 1.6: read as strictly as the zip files."""

from __future__ import annotations

import os
import pickle
import resource
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from checkpoint_files import Evil, pth
from test_pth import FLOATS, Storage, pickled, tensor

from zoohub.checkpoint import load_weights, open_checkpoint
from zoohub.errors import CheckpointCorrupt, CheckpointError

MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
DATA = Path(__file__).parent / "data"


def legacy(
    value: Any,
    storages: dict[str, bytes],
    *,
    protocol: int = PROTOCOL,
    little: bool = True,
    counts: dict[str, int] | None = None,
    behind: bytes = b"",
    pickled_value: bytes | None = None,
) -> bytes:
    """What `torch.save` wrote before 1.6."""
    head = [MAGIC, protocol, {"protocol_version": protocol, "little_endian": little}]
    data = b"".join(pickle.dumps(part, protocol=2) for part in head)
    data += pickled(value) if pickled_value is None else pickled_value
    data += pickle.dumps(sorted(storages), protocol=2)
    for key in sorted(storages):
        count = (counts or {}).get(key, len(storages[key]) // 4)
        data += struct.pack("<q", count) + storages[key]
    return data + behind


def put(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "old.pth"
    path.write_bytes(data)
    return path


SOUND = {"weight": tensor(), "t": tensor((3, 2), (1, 3)), "part": tensor((2,), (1,), 4)}


@pytest.mark.parametrize("published", [False, True])
def test_a_state_dict_is_read(tmp_path: Path, published: bool) -> None:
    path = put(tmp_path, legacy(SOUND, {"0": FLOATS.tobytes()}))
    read = load_weights(path, published=published)
    assert read["weight"].tolist() == FLOATS.reshape(2, 3).tolist()
    assert read["t"].tolist() == FLOATS.reshape(2, 3).T.tolist()
    assert read["part"].tolist() == [4, 5]


def test_a_legacy_file_pytorch_wrote_is_read() -> None:
    """torch_legacy.pth was made with PyTorch 1.13's `_use_new_zipfile_serialization=False`."""
    weights = open_checkpoint(DATA / "torch_legacy.pth", verify=True)
    assert weights.format == "pth"
    assert all(np.isfinite(array).all() for array in weights.values())
    assert len(weights) > 0


def test_a_view_of_no_storage_and_python_2s_texts_are_read(tmp_path: Path) -> None:
    old = Storage("FloatStorage", "0", 6)
    old.id = (*old.id, None)
    value = pickled({"w": _with(old)}).replace(b"X\x01\x00\x00\x00w", b"U\x01w")
    path = put(tmp_path, legacy(None, {"0": FLOATS.tobytes()}, pickled_value=value))
    assert load_weights(path)["w"].shape == (2, 3)


def _with(storage: Storage) -> Any:
    found = tensor()
    found.state = (storage, *found.state[1:])
    return found


DAMAGE: dict[str, tuple[bytes, str]] = {
    "cut in the data": (legacy(SOUND, {"0": FLOATS.tobytes()})[:-3], "elements of the storage '0'"),
    "cut in a pickle": (legacy(SOUND, {"0": b""})[:150], "the pickle's end|a name without an end"),
    "a wrong count": (
        legacy(SOUND, {"0": FLOATS.tobytes()}, counts={"0": 7}),
        "7 elements of the storage '0', 6 expected",
    ),
    "bytes behind": (legacy(SOUND, {"0": FLOATS.tobytes()}, behind=b"x"), "1 byte behind"),
    "another protocol": (legacy(SOUND, {}, protocol=9), "in an unknown version"),
    "no storage": (legacy(SOUND, {}), "bytes behind|no data for 'weight'"),
    "an unused storage": (legacy({}, {"0": b"1234"}), "'0', which no tensor uses"),
    "a giant": (
        legacy({"w": tensor((1 << 40,), (0,))}, {"0": FLOATS.tobytes()}),
        "reaching beyond",
    ),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_damage_is_named(tmp_path: Path, case: str) -> None:
    data, message = DAMAGE[case]
    with pytest.raises(CheckpointCorrupt, match=message):
        open_checkpoint(put(tmp_path, data))


def test_a_big_endian_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="big-endian"):
        open_checkpoint(put(tmp_path, legacy(SOUND, {"0": FLOATS.tobytes()}, little=False)))


@pytest.mark.parametrize("place", range(5))
def test_code_in_any_of_the_pickles_is_refused_and_not_run(tmp_path: Path, place: int) -> None:
    mark = tmp_path / "ran"
    evil = pickle.dumps(Evil(os.mkdir, str(mark)), protocol=2)
    parts = [pickle.dumps(p, protocol=2) for p in (MAGIC, PROTOCOL, {"little_endian": True})]
    parts += [pickled(SOUND), pickle.dumps(["0"], protocol=2)]
    parts[place] = evil
    with pytest.raises(CheckpointCorrupt, match=r"asks for 'posix\.mkdir'|no checkpoint of named"):
        open_checkpoint(put(tmp_path, b"".join(parts)))
    assert not mark.exists()


def size_bomb() -> bytes:
    """One list of 50,000 numbers, named 30,000 times (F3)."""
    numbers = b"\x80\x02]q\x00(" + b"K\x00" * 50_000 + b"e0"
    return numbers + b"ctorch\nSize\nq\x010](" + b"h\x01h\x00\x85R" * 30_000 + b"e."


def shape_bomb() -> bytes:
    """The same list as the shape of tensors."""
    head = pickled({"w": tensor()})
    numbers = b"\x80\x02]q\xf0(" + b"K\x00" * 50_000 + b"e0"
    call = head[2:-1].replace(b"K\x02K\x03\x86", b"h\xf0", 1)
    return numbers + b"](" + call * 50 + b"e."


def empty_lists() -> bytes:
    """A byte each, sixty bytes of memory each."""
    return b"\x80\x02(" + b"]" * 30_000_000 + b"l."


BOMBS = {"sizes": size_bomb, "shapes": shape_bomb, "empty lists": empty_lists}


@pytest.mark.parametrize(
    "bomb", [pytest.param(b, marks=pytest.mark.slow if b == "empty lists" else ()) for b in BOMBS]
)
@pytest.mark.parametrize("old", [False, True])
def test_a_files_memory_is_in_proportion_to_it(tmp_path: Path, bomb: str, old: bool) -> None:
    data = BOMBS[bomb]()
    whole = legacy(None, {}, pickled_value=data) if old else pth(data, {})
    script = (
        "import resource, sys, zoohub.checkpoint.opening as o\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try: o.load_weights(sys.argv[1])\n"
        "except Exception as error: print(type(error).__name__)\n"
        "print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, put(tmp_path, whole)],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30)),
    )
    name, megabytes = done.stdout.split()
    assert name == "CheckpointCorrupt"
    assert int(megabytes) < 600


def test_one_memory_under_a_thousand_names_is_refused(tmp_path: Path) -> None:
    storage = Storage("BFloat16Storage", "0", 1 << 19)
    tensors = {}
    for number in range(1000):
        tensors[f"w{number}"] = tensor((1 << 19,), (1,))
        tensors[f"w{number}"].state = (storage, *tensors[f"w{number}"].state[1:])
    path = put(tmp_path, pth(pickled(tensors), {"0": bytes(1 << 20)}))
    with pytest.raises(CheckpointCorrupt, match="many over the same memory"):
        open_checkpoint(path)


@pytest.mark.parametrize(
    "key", ["state_dict", "model", "model_state_dict", "ema", "params", "net", "weights"]
)
@pytest.mark.parametrize("old", [False, True])
def test_weights_are_found_wherever_training_scripts_put_them(
    tmp_path: Path, key: str, old: bool
) -> None:
    state = {"epoch": 3, "optimizer": {"state": {0: {"exp_avg": tensor()}}, "param_groups": []}}
    state[key] = {"weight": tensor()}
    content = {"0": FLOATS.tobytes()}
    for nested in (state, {"checkpoint": 1, "model": state}):
        data = legacy(nested, content) if old else pth(pickled(nested), content)
        weights = open_checkpoint(put(tmp_path, data))
        assert list(weights) == ["weight"]
        assert weights.averaged is None


@pytest.mark.parametrize(
    ("plain", "ema"),
    [
        *(("state_dict", "state_dict_ema"), ("model", "ema"), ("model", "model_ema")),
        *(("params", "params_ema"), ("model_state_dict", "ema_state_dict"), ("backbone", "ema")),
    ],
)
def test_the_moving_average_is_a_set_of_its_own(tmp_path: Path, plain: str, ema: str) -> None:
    state = {ema: {"weight": tensor((2,), (1,), 4)}, plain: {"weight": tensor((2,), (1,), 0)}}
    weights = open_checkpoint(put(tmp_path, pth(pickled(state), {"0": FLOATS.tobytes()})))
    assert weights["weight"].tolist() == [0, 1]
    assert weights.averaged is not None
    assert weights.averaged["weight"].tolist() == [4, 5]
