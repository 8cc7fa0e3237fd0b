"""Recipes as editors of all lands save them, and those that are none."""

from __future__ import annotations

from pathlib import Path

import pytest

from zoohub.errors import RecipeError
from zoohub.tasks.finding import read_recipe

TEXT = "model: lenet5  # 数字识别\r\ndata: {kind: folder, path: 数据集}\r\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gbk"])
def test_recipes_are_read_however_they_were_saved(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "r.yaml"
    file.write_bytes(TEXT.encode(encoding))
    recipe = read_recipe(file)
    assert (recipe.model, recipe.data.path) == ("lenet5", "数据集")  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (b"x: " + b"[" * 5000, r"r\.yaml:3: "),
        (b"epochs: " + b"9" * 5000, r"r\.yaml:3: epochs: expected a whole number"),
        (b"epochs: 2024-13-45", r"r\.yaml:3: epochs: expected a whole number"),
        (b"optimizer: {lr: 1e999}", r"r\.yaml:3: optimizer.lr: expected a finite number"),
        (b"optimizer: {lr: .nan}", r"r\.yaml:3: optimizer.lr: expected a finite number"),
        (b"epochs: &a 3\nseed: *a", r"r\.yaml:3: anchors"),
        (b"task: [image-classification]", r"r\.yaml: task: expected one of|r\.yaml:3"),
        (b"task: 2024-13-45", r"r\.yaml: task: expected one of"),
        (b"epochs: caf\xe9", r"r\.yaml:3: not UTF-8"),
        (b"epochs: \0", r"r\.yaml:3: .*NUL"),
    ],
)
def test_recipes_that_cannot_be_used_are_named(tmp_path: Path, more: bytes, message: str) -> None:
    file = tmp_path / "r.yaml"
    file.write_bytes(b"model: lenet5\ndata: {kind: folder, path: x}\n" + more)
    with pytest.raises(RecipeError, match=message):
        read_recipe(file)
