"""PyTorch's zip files: weights are read, and no pickle is ever run."""

from __future__ import annotations

import collections
import io
import os
import pickle
import pickletools
import struct
import zipfile
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from checkpoint_files import Evil, evil_pickle, pth, small_arrays

from zoohub.checkpoint import load_weights, open_checkpoint, write_pth
from zoohub.checkpoint.pickles import Refused, read_pickle
from zoohub.errors import CheckpointCorrupt, CheckpointError


def put(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "file.pth"
    path.write_bytes(data)
    return path


# A stand-in for PyTorch's own pickles: the same names in the same shape, without PyTorch.


def _named(module: str, name: str) -> Any:
    def function(*_: Any) -> None: ...

    function.__module__, function.__qualname__, function.__name__ = module, name, name
    return function


class TorchPickler(pickle._Pickler):  # type: ignore[misc]
    def persistent_id(self, obj: Any) -> Any:
        return obj.id if isinstance(obj, Storage) else None

    def save_global(self, obj: Any, name: str | None = None) -> None:
        self.write(f"c{obj.__module__}\n{obj.__qualname__}\n".encode())
        self.memoize(obj)

    dispatch: ClassVar[Any] = {**pickle._Pickler.dispatch, type(_named): save_global}


class Storage:
    def __init__(self, kind: str, key: str, count: int) -> None:
        self.id = ("storage", _named("torch", kind), key, "cpu", count)


class Tensor:
    def __init__(self, storage: Storage, offset: int, shape: Any, strides: Any) -> None:
        hooks: Any = collections.OrderedDict()
        self.state = (storage, offset, shape, strides, False, hooks)

    def __reduce__(self) -> Any:
        return _named("torch._utils", "_rebuild_tensor_v2"), self.state


def pickled(value: Any, protocol: int = 2) -> bytes:
    out = io.BytesIO()
    TorchPickler(out, protocol).dump(value)
    return out.getvalue()


FLOATS = np.arange(6, dtype=np.float32)


def tensor(shape: Any = (2, 3), strides: Any = (3, 1), offset: int = 0) -> Tensor:
    return Tensor(Storage("FloatStorage", "0", 6), offset, shape, strides)


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_a_state_dict_is_read(tmp_path: Path, protocol: int) -> None:
    state = collections.OrderedDict(weight=tensor())
    path = put(tmp_path, pth(pickled(state, protocol), {"0": FLOATS.tobytes()}))
    read = load_weights(path)
    assert read["weight"].tolist() == FLOATS.reshape(2, 3).tolist()
    assert not read["weight"].flags.owndata


def test_transposed_and_partial_tensors_are_views_of_their_storage(tmp_path: Path) -> None:
    state = {"t": tensor((3, 2), (1, 3)), "part": tensor((2,), (1,), 4)}
    read = load_weights(put(tmp_path, pth(pickled(state), {"0": FLOATS.tobytes()})))
    assert read["t"].tolist() == FLOATS.reshape(2, 3).T.tolist()
    assert read["part"].tolist() == [4, 5]


def test_tensors_that_share_memory_are_marked_as_not_owning_it(tmp_path: Path) -> None:
    storage = Storage("FloatStorage", "0", 6)
    state = {"a": Tensor(storage, 0, (6,), (1,)), "b": Tensor(storage, 0, (6,), (1,))}
    path = put(tmp_path, pth(pickled(state), {"0": FLOATS.tobytes()}))
    weights = open_checkpoint(path, published=True)
    assert not weights.owned("a")
    assert not weights.owned("b")


@pytest.mark.parametrize("key", ["state_dict", "model", "ema_weights"])
def test_weights_are_found_beside_a_training_scripts_state(tmp_path: Path, key: str) -> None:
    state = {"epoch": 3, "loss": 0.5, "name": "x", "optimizer": {"state": {0: {"m": tensor()}}}}
    state[key] = {"weight": tensor(), "version": 1}
    path = put(tmp_path, pth(pickled(state), {"0": FLOATS.tobytes()}))
    assert list(load_weights(path)) == ["weight"]


def test_what_zoohub_says_of_its_own_file_is_read_and_must_be_texts(tmp_path: Path) -> None:
    def said(text: bytes) -> Path:
        more = {"extra/zoohub.json": text}
        return put(tmp_path, pth(pickled({"w": tensor()}), {"0": FLOATS.tobytes()}, **more))

    assert open_checkpoint(said(b'{"zoohub.note": "x"}')).texts == {"zoohub.note": "x"}
    for text in (b"[1]", b'{"a": 1}', b"{"):
        with pytest.raises(CheckpointCorrupt, match=r"zoohub\.json|texts to texts"):
            open_checkpoint(said(text))


def test_several_sets_of_weights_are_named(tmp_path: Path) -> None:
    state = {"generator": {"w": tensor()}, "discriminator": {"w": tensor()}}
    path = put(tmp_path, pth(pickled(state), {"0": FLOATS.tobytes()}))
    with pytest.raises(CheckpointError, match="several sets of weights: discriminator, generator"):
        open_checkpoint(path)


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
@pytest.mark.parametrize(
    "call",
    [
        (os.system, "touch {mark}"),
        (eval, "open({mark!r}, 'w')"),
        (exec, "open({mark!r}, 'w')"),
        (os.mkdir, "{mark}"),
        (getattr, os, "system"),
    ],
    ids=["os.system", "eval", "exec", "os.mkdir", "getattr"],
)
def test_a_malicious_pickle_is_refused_and_nothing_runs(
    tmp_path: Path, protocol: int, call: Any
) -> None:
    mark = tmp_path / "ran"
    function, *arguments = call
    arguments = [a.format(mark=str(mark)) if isinstance(a, str) else None for a in arguments]
    path = put(tmp_path, pth(evil_pickle(function, *arguments, protocol=protocol), {}))
    with pytest.raises(CheckpointCorrupt, match=r"asks for|which weights never need|protocol"):
        open_checkpoint(path)
    assert not mark.exists()


def test_the_refused_name_is_told(tmp_path: Path) -> None:
    path = put(tmp_path, pth(evil_pickle(os.system, "true"), {}))
    with pytest.raises(CheckpointCorrupt, match=r"asks for 'posix\.system'.* nothing was run"):
        open_checkpoint(path)


def test_a_name_hidden_behind_a_known_module_is_refused() -> None:
    for name in ("torch.load", "torch._utils.os.system", "collections.OrderedDict.fromkeys"):
        module, _, attribute = name.rpartition(".")
        with pytest.raises(Refused, match="asks for"):
            read_pickle(b"\x80\x02c" + module.encode() + b"\n" + attribute.encode() + b"\n.")


@pytest.mark.parametrize(
    "data",
    {
        "a giant text": b"\x80\x04\x8d" + b"\xff" * 7 + b"\x7f.",
        "a giant frame": b"\x80\x04\x95" + b"\xff" * 8 + b".",
        "giant bytes": b"\x80\x03B\xff\xff\xff\xff.",
        "a giant memo index": b"\x80\x02Nr\xff\xff\xff\xff0j\xff\xff\xff\xfe.",
        "a giant number": b"\x80\x02\x8a\xff" + b"\x01" * 255 + b".",
        "a long text number": b"\x80\x02L" + b"9" * 100000 + b"L\n.",
        "no stop": b"\x80\x02N",
        "an empty stack": b"\x80\x02.",
        "a mark as result": b"\x80\x02(.",
        "an append to nothing": b"\x80\x02NNa.",
        "a half pair": b"\x80\x02}(Nu.",
        "a list as key": b"\x80\x02}]Ns.",
        "an object": b"\x80\x02(cos\nsystem\no.",
        "an instance": b"\x80\x02(ios\nsystem\n.",
        "an extension": b"\x80\x02\x82\x01.",
        "a name without end": b"\x80\x02c" + b"a" * 10000,
        "nothing": b"",
    }.values(),
)
def test_a_hostile_pickle_costs_nothing(data: bytes) -> None:
    with pytest.raises(Refused):
        read_pickle(data)


def test_doubling_tuples_are_neither_hashed_nor_printed() -> None:
    doubling = b"\x80\x02)q\x00" + b"h\x00h\x00\x86q\x00" * 200
    for use in (b"}h\x00Ns.", b"h\x00Q.", b"h\x00h\x00\x93.", b"h\x00h\x00R."):
        with pytest.raises(Refused):
            read_pickle(doubling + use)


def damaged() -> dict[str, tuple[bytes, str]]:
    good = pth(pickled({"w": tensor()}), {"0": FLOATS.tobytes()})
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", pickled({"w": tensor()}))
    flipped = bytearray(good)
    flipped[good.index(b"FloatStorage")] ^= 1
    return {
        "cut short": (good[:-10], "without the directory that ends a zip archive"),
        "compressed": (out.getvalue(), r"compressed \(method 8\)"),
        "a foreign archive": (pth(b"", {})[:0] + _zip({"a.txt": b"x"}), "PyTorch did not write"),
        "no data": (pth(pickled({"w": tensor()}), {}), "no data for 'w'"),
        "short data": (pth(pickled({"w": tensor()}), {"0": b"1234"}), "4 bytes for 6 elements"),
        "beyond the storage": (
            pth(pickled({"w": tensor(offset=1)}), {"0": FLOATS.tobytes()}),
            "reaching beyond",
        ),
        "strides beyond": (
            pth(pickled({"w": tensor(strides=(4, 1))}), {"0": FLOATS.tobytes()}),
            "reaching beyond",
        ),
        "negative strides": (
            pth(pickled({"w": tensor(strides=(-1, 1))}), {"0": FLOATS.tobytes()}),
            "where a count should be",
        ),
        "expanded to a giant": (
            pth(pickled({"w": tensor((1 << 40,), (0,))}), {"0": FLOATS.tobytes()}),
            "reaching beyond",
        ),
        "a flipped pickle": (bytes(flipped), "whose CRC"),
        "a giant directory": (
            b"PK\x03\x04" + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 9, 9, 1 << 31, 0, 0),
            "beyond the end",
        ),
    }


def _zip(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


@pytest.mark.parametrize("case", list(damaged()))
def test_damage_is_named(tmp_path: Path, case: str) -> None:
    data, message = damaged()[case]
    with pytest.raises(CheckpointCorrupt, match=message):
        open_checkpoint(put(tmp_path, data))


def test_damaged_data_is_found_on_demand(tmp_path: Path) -> None:
    path = write_pth(tmp_path / "a.pth", {"w": FLOATS})
    data = bytearray(path.read_bytes())
    data[data.index(FLOATS.tobytes())] ^= 1
    path.write_bytes(data)
    open_checkpoint(path)
    with pytest.raises(CheckpointCorrupt, match="member 'archive/data/0', whose CRC"):
        open_checkpoint(path, verify=True)


def test_big_endian_and_programs_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="big-endian"):
        open_checkpoint(put(tmp_path, pth(pickled({}), {}, byteorder=b"big")))
    with pytest.raises(CheckpointError, match="TorchScript"):
        open_checkpoint(put(tmp_path, pth(pickled({}), {}, **{"constants.pkl": b""})))


def test_what_zoohub_writes_is_a_sound_zip_of_known_instructions(tmp_path: Path) -> None:
    arrays = small_arrays()
    path = write_pth(tmp_path / "a.pth", arrays)
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        names = [info.filename for info in archive.infolist()]
        pickletools.dis(archive.read("archive/data.pkl"), out=io.StringIO())
        assert archive.read("archive/data/0") == arrays["conv.weight"].tobytes()
    assert names[:2] == ["archive/data.pkl", "archive/byteorder"]
    read = load_weights(path, published=True)
    assert list(read) == list(arrays)
    assert all(np.array_equal(read[n], a) and read[n].shape == a.shape for n, a in arrays.items())
    assert all(array.ctypes.data % 64 == 0 for array in read.values() if array.size)


DATA = Path(__file__).parent / "data"


def test_a_file_pytorch_wrote_is_read() -> None:
    """torch_1.13.pth: a training script's dict, made with PyTorch 1.13 for this test."""
    weights = open_checkpoint(DATA / "torch_1.13.pth", verify=True, published=True)
    assert weights["conv.weight"].ravel().tolist() == list(range(8))
    assert weights["bn.num_batches_tracked"].shape == ()
    assert weights["transposed"].tolist() == np.arange(12).reshape(3, 4).T.tolist()
    assert weights["part"].tolist() == [4, 5]
    assert weights["half"].tolist() == [1.0, -2.5]
    assert weights["flag"].tolist() == [True, False]
    assert weights["parameter"].tolist() == [1, 1]
    assert weights["empty"].shape == (0, 3)
    assert len(weights) == 13
    assert {n for n in weights if not weights.owned(n)} == {"transposed", "part"}


def test_types_pytorch_lacks_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"'w' is uint16, which a \.pth cannot hold"):
        write_pth(tmp_path / "a.pth", {"w": np.ones(2, np.uint16)})


def test_evil_is_evil(tmp_path: Path) -> None:
    """The attack used above does run under Python's own unpickler."""
    mark = tmp_path / "ran"
    pickle.loads(pickle.dumps(Evil(os.mkdir, str(mark))))
    assert mark.exists()
