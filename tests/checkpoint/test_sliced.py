"""Checkpoints in several files: read as one by their index, else refused in a line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zoohub.checkpoint import load_weights, open_checkpoint, write_ckpt, write_safetensors
from zoohub.checkpoint.opening import open_weights
from zoohub.errors import CheckpointCorrupt, CheckpointError

ONE, TWO = (f"model-0000{i}-of-00002.safetensors" for i in (1, 2))


@pytest.fixture
def index(tmp_path: Path) -> Path:
    write_safetensors(tmp_path / ONE, {"a": np.ones(3, np.float32), "b": np.zeros(2)})
    write_safetensors(tmp_path / TWO, {"c": np.arange(4)})
    path = tmp_path / "model.safetensors.index.json"
    table = {"c": TWO, "a": ONE, "b": ONE}
    path.write_text(json.dumps({"metadata": {"total_size": 60}, "weight_map": table}))
    return path


def test_the_files_of_an_index_are_read_as_one_in_its_order(index: Path) -> None:
    read = load_weights(index)
    assert list(read) == ["c", "a", "b"]
    assert read["c"].tolist() == [0, 1, 2, 3]
    assert read["a"].tolist() == [1, 1, 1]
    weights = open_weights(index)
    assert weights.path == index
    assert weights.owned("a")
    assert weights.renamed({"a": "x"})["x"].tolist() == [1, 1, 1]


def test_one_of_several_files_points_to_its_index(index: Path) -> None:
    with pytest.raises(CheckpointError, match=r"is one of 2 files: give model\.safetensors\.index"):
        open_weights(index.parent / ONE)
    assert list(open_checkpoint(index.parent / ONE)) == ["b", "a"]  # to look into it


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[]", "has no weight_map"),
        ("{", "is no index of files"),
        ("[" * 100_000, "is no index of files"),
        ('{"weight_map": {}}', "has no weight_map"),
        ('{"weight_map": {"a": "../secret.safetensors"}}', "is no file beside it"),
        ('{"weight_map": {"a": "/etc/passwd"}}', "is no file beside it"),
        ('{"weight_map": {"a": 3}}', "is no file beside it"),
        ('{"weight_map": {"a": "x.safetensors"}}', r"1 file that is not beside it: x\.safe"),
        (json.dumps({"weight_map": {"z": ONE}}), "lacks 'z', which model"),
    ],
)
def test_an_index_that_is_none_is_refused(index: Path, content: str, message: str) -> None:
    index.write_text(content)
    with pytest.raises(CheckpointError, match=message):
        load_weights(index)


def test_a_damaged_part_is_named(index: Path) -> None:
    part = index.parent / TWO
    part.write_bytes(part.read_bytes()[:-3])
    with pytest.raises(CheckpointCorrupt, match="model-00002-of-00002"):
        load_weights(index)


def ranks(folder: Path) -> Any:
    for rank in range(2):
        (folder / f"rank_{rank}").mkdir()
        write_ckpt(folder / f"rank_{rank}" / "net.ckpt", {"w": np.ones(2)})


def test_the_folders_of_several_devices_are_refused_with_the_way_to_merge_them(
    tmp_path: Path,
) -> None:
    ranks(tmp_path)
    with pytest.raises(CheckpointError, match=r"each of 2 devices .*merge_sliced_parameter"):
        open_weights(tmp_path)


def test_a_folder_is_called_so_and_its_files_are_named(tmp_path: Path, index: Path) -> None:
    with pytest.raises(CheckpointError, match=r"it is a folder; give one of its files \(model\.sa"):
        open_weights(tmp_path)
    (tmp_path / "run.json").touch()
    with pytest.raises(CheckpointError, match=r"is the folder of a run: zoohub\.load\('"):
        open_weights(tmp_path)
