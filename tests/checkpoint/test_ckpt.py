"""MindSpore's own format: read as its loader reads it, and refused where it is damaged."""

from __future__ import annotations

import os
import resource
from pathlib import Path

import mindspore as ms
import numpy as np
import pytest
from checkpoint_files import field, float_record, record, small_arrays, tensor_proto, varint
from mindspore.common import np_dtype

from zoohub.checkpoint import TensorInfo, ckpt, load_weights, open_checkpoint, write_ckpt
from zoohub.errors import CheckpointCorrupt, CheckpointError

TYPES = [
    *("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
    *("float16", "float32", "float64", "complex64"),
]


def put(tmp_path: Path, *pieces: bytes) -> Path:
    path = tmp_path / "file.ckpt"
    path.write_bytes(b"".join(pieces))
    return path


def save(path: Path, arrays: dict[str, object], **options: object) -> Path:
    items = [
        {"name": n, "data": v if isinstance(v, ms.Tensor) else ms.Tensor(np.asarray(v))}
        for n, v in arrays.items()
    ]
    ms.save_checkpoint(items, str(path), **options)
    return path


@pytest.mark.parametrize("crc", [False, True])
def test_a_file_mindspore_wrote_reads_as_it_was(tmp_path: Path, crc: bool) -> None:
    arrays = {t: (np.arange(6).reshape(2, 3) % 2).astype(t) for t in TYPES}
    arrays["scalar"] = np.array(2.5, np.float32)
    path = save(tmp_path / "a.ckpt", arrays, crc_check=crc)
    read = load_weights(path)
    assert list(read) == list(arrays)
    for name, array in arrays.items():
        assert read[name].dtype == array.dtype
        assert read[name].shape == array.shape
        assert np.array_equal(read[name], array)


def test_bfloat16_reads_as_float32_and_as_bits(tmp_path: Path) -> None:
    values = np.array([1.0, -2.5, 3.140625, np.inf], np.float32)
    path = save(tmp_path / "a.ckpt", {"w": ms.Tensor(values).astype(ms.bfloat16)})
    weights = open_checkpoint(path)
    assert weights.table() == {"w": TensorInfo((4,), "bfloat16")}
    assert weights.table()["w"].nbytes == 8
    assert weights["w"].dtype == np.float32
    assert np.array_equal(weights["w"], values)
    assert weights.raw("w").dtype == np.uint16


def test_text_values_are_kept_apart_from_tensors(tmp_path: Path) -> None:
    path = save(tmp_path / "a.ckpt", {"w": np.ones(2)}, append_dict={"note": "Grüße", "epoch": 3})
    weights = open_checkpoint(path)
    assert dict(weights.texts) == {"note": "Grüße"}
    assert list(weights) == ["w", "epoch"]
    assert weights["epoch"] == 3


def test_a_tensor_split_over_several_records_is_joined(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ms.train.serialization, "SLICE_SIZE", 1)  # KiB instead of 512 MiB
    array = np.random.default_rng(0).standard_normal((37, 100)).astype(np.float32)
    path = save(tmp_path / "a.ckpt", {"before": np.ones(2), "big": array, "after": np.zeros(2)})
    assert path.read_bytes().count(b"big") > 10
    read = load_weights(path)
    assert list(read) == ["before", "big", "after"]
    assert np.array_equal(read["big"], array)


def test_a_scalar_of_mindspore_1_has_no_dimensions(tmp_path: Path) -> None:
    path = put(tmp_path, record("lr", [0], "Float32", np.float32(0.5).tobytes()))
    assert load_weights(path)["lr"].shape == ()
    assert load_weights(path)["lr"] == 0.5


def test_shapes_in_packed_form_are_read(tmp_path: Path) -> None:
    path = put(tmp_path, record("w", [2, 3], "Float32", bytes(24), packed=True))
    assert load_weights(path)["w"].shape == (2, 3)


def test_arrays_of_a_published_file_are_views_and_writing_to_them_leaves_it(tmp_path: Path) -> None:
    path = write_ckpt(tmp_path / "a.ckpt", {"w": np.ones(3, np.float32)})
    before = path.read_bytes()
    weights = open_checkpoint(path, published=True)
    weights["w"][:] = 5
    assert weights["w"].tolist() == [5, 5, 5]
    assert not weights["w"].flags.owndata
    assert path.read_bytes() == before


@pytest.mark.parametrize("crc", [False, True])
def test_mindspore_reads_what_zoohub_writes(tmp_path: Path, crc: bool) -> None:
    arrays = {n: a for n, a in small_arrays().items() if n != "flags"} | {
        "half2": np.array([1.5, 2.5]).astype(np_dtype.bfloat16)
    }
    path = write_ckpt(tmp_path / "a.ckpt", arrays, texts={"note": "hello"}, crc=crc)
    read = ms.load_checkpoint(str(path), crc_check=crc)
    assert read.pop("note") == "hello"
    assert list(read) == list(arrays)
    assert read["half2"].dtype == ms.bfloat16
    for name, array in arrays.items():
        assert tuple(read[name].shape) == array.shape
        if name != "half2":
            assert np.array_equal(read[name].asnumpy(), array)


def test_mindspore_joins_what_zoohub_splits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ckpt, "_SLICE", 1000)
    array = np.random.default_rng(0).standard_normal((30, 33)).astype(np.float32)
    path = write_ckpt(tmp_path / "a.ckpt", {"w": array})
    assert np.array_equal(ms.load_checkpoint(str(path))["w"].asnumpy(), array)
    assert np.array_equal(load_weights(path)["w"], array)


def test_a_copy_of_a_mindspore_file_has_the_same_bytes(tmp_path: Path) -> None:
    arrays = {"w": np.ones((2, 3), np.float32), "s": np.array(1.0, np.float32)}
    path = save(tmp_path / "a.ckpt", arrays, crc_check=True)
    copy = write_ckpt(tmp_path / "b.ckpt", open_checkpoint(path), crc=True)
    assert copy.read_bytes() == path.read_bytes()


def test_a_wrong_crc_is_found_on_demand_only(tmp_path: Path) -> None:
    path = write_ckpt(tmp_path / "a.ckpt", {"w": np.zeros(100, np.float32)}, crc=True)
    data = bytearray(path.read_bytes())
    data[100] ^= 1  # in the tensor's data
    path.write_bytes(data)
    open_checkpoint(path)
    with pytest.raises(CheckpointCorrupt, match=r"a\.ckpt .* the CRC 0x.* is recorded"):
        open_checkpoint(path, verify=True)


def test_one_tensor_of_a_5_gb_file_is_read_without_touching_the_others(tmp_path: Path) -> None:
    path = tmp_path / "big.ckpt"
    size = 1 << 28
    with path.open("wb") as file:
        for index in range(20):  # sparse: the data is never written
            name = f"layer{index}.weight"
            tensor = b"\x08" + varint(size // 4) + field(2, b"Float32") + b"\x1a" + varint(size)
            head = field(1, name.encode()) + b"\x12" + varint(len(tensor) + size) + tensor
            file.write(b"\x0a" + varint(len(head) + size) + head)
            file.seek(size, os.SEEK_CUR)
        file.write(float_record("last", [1.0, 2.0]))
    assert path.stat().st_size > 5e9
    before = resource.getrusage(resource.RUSAGE_SELF)
    assert open_checkpoint(path)["last"].tolist() == [1.0, 2.0]
    after = resource.getrusage(resource.RUSAGE_SELF)
    pages = after.ru_minflt + after.ru_majflt - before.ru_minflt - before.ru_majflt
    assert pages < 2_000  # of 1,310,720; twenty heads and one tensor, and Python's own


def test_a_map_parameter_is_named_and_refused(tmp_path: Path) -> None:
    table = field(1, tensor_proto([2], "int32", bytes(8)))
    value = field(1, b"embedding") + field(3, table * 3)
    with pytest.raises(CheckpointError, match="'embedding' is a map parameter") as caught:
        open_checkpoint(put(tmp_path, float_record("w", [1.0]), field(1, value)))
    assert not isinstance(caught.value, CheckpointCorrupt)


@pytest.mark.parametrize("mode", ["AES-GCM", "AES-CBC", "SM4-CBC"])
def test_an_encrypted_file_is_called_so(tmp_path: Path, mode: str) -> None:
    key = b"0123456789abcdef"
    path = save(tmp_path / "a.ckpt", {"w": np.ones(3)}, enc_key=key, enc_mode=mode)
    with pytest.raises(CheckpointCorrupt, match="is encrypted by MindSpore"):
        open_checkpoint(path)


GOOD = float_record("first", np.arange(4))
DAMAGED = {
    "cut short in the data": (GOOD[:-3], "at byte 0 of 37: a parameter of 38 bytes, 3 more"),
    "cut short in the header": (GOOD + GOOD[:1], r"at byte 41 .*: a number cut short"),
    "rubbish behind": (GOOD + b"\x99rubbish", r"b'\\x99rubbish' where a parameter should begin"),
    "an endless number": (b"\x0a" + b"\xff" * 20, "a number of more than 63 bits"),
    "a giant length": (b"\x0a" + varint(1 << 60) + b"xx", "a parameter of 1152921504606846976"),
    "a name for a second time": (GOOD + float_record("x", [1]) + GOOD, "'first' for a second"),
    "data of another size": (record("w", [3], "Float32", bytes(8)), "8 bytes for 'w', 12 expected"),
    "a giant shape": (record("w", [1 << 40] * 8, "Float32", bytes(8)), "8 bytes for 'w', "),
    "a giant shape behind a zero": (
        record("w", [0, 1 << 62, 1 << 62], "Float32", b""),
        "the impossible shape",
    ),
    "too many dimensions": (record("w", [1] * 40, "Float32", bytes(4)), "more than 32 dimensions"),
    "an unknown type": (record("w", [1], "Float33", bytes(4)), "of the unknown type 'Float33'"),
    "no name": (field(1, field(2, tensor_proto([1], "Float32", bytes(4)))), "without a name"),
    "no tensor": (field(1, field(1, b"w")), "a parameter without a tensor"),
    "no type": (field(1, field(1, b"w") + field(2, field(3, b"1234"))), "'w' without a type"),
    "no data": (field(1, field(1, b"w") + field(2, field(2, b"Float32"))), "'w' without data"),
    "a name that is no text": (field(1, field(1, b"\xff\xfe")), "a parameter's name that is no"),
    "an endless name": (field(1, field(1, b"n" * 5000)), "a parameter's name of 5000 bytes"),
    "another field": (field(1, field(1, b"w") + field(9, b"x")), "where a name or a tensor"),
    "a field that leaves its record": (
        field(1, b"\x0a" + varint(100) + b"w"),
        "a field of 100 bytes where 1 is left",
    ),
    "only a trailer": (b"crc_num" + bytes(10), "no parameter at all"),
}


@pytest.mark.parametrize(("data", "message"), DAMAGED.values(), ids=DAMAGED)
def test_damage_is_named_with_its_place(tmp_path: Path, data: bytes, message: str) -> None:
    with pytest.raises(CheckpointCorrupt, match=message) as caught:
        open_checkpoint(put(tmp_path, data), "ckpt")
    assert "file.ckpt is damaged" in str(caught.value)


def test_pieces_of_one_name_must_agree(tmp_path: Path) -> None:
    pieces = record("w", [4], "Float32", bytes(8)) + record("w", [5], "Float32", bytes(8))
    with pytest.raises(CheckpointCorrupt, match="pieces of 'w' that disagree"):
        open_checkpoint(put(tmp_path, pieces))


def test_a_cut_at_a_record_is_found_by_the_crc_alone(tmp_path: Path) -> None:
    path = write_ckpt(tmp_path / "a.ckpt", {"a": np.ones(3), "b": np.ones(3)}, crc=True)
    data = path.read_bytes()
    path.write_bytes(data[: (len(data) - 17) // 2] + data[-17:])
    with pytest.raises(CheckpointCorrupt, match="the CRC"):
        open_checkpoint(path, verify=True)
