"""Tables as Windows, Chinese editors and other tools write them."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from zoohub.errors import DataError
from zoohub.tasks.classification.recipe import TableData
from zoohub.tasks.classification.table import read_table
from zoohub.tasks.samples import Splits


def _read(folder: Path, name: str, data: bytes) -> Splits[int]:
    for stem in ("a", "b", "图片"):
        (folder / "sub").mkdir(exist_ok=True)
        Image.new("RGB", (8, 6)).save(folder / "sub" / f"{stem}.png")
    (folder / name).write_bytes(data)
    return read_table(TableData("table", str(folder / name)), evaluating=True)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gbk"])
@pytest.mark.parametrize("name", ["x.csv", "x.jsonl"])
def test_tables_are_read_however_they_were_saved(tmp_path: Path, name: str, encoding: str) -> None:
    rows = [("sub\\图片.png", "花朵"), (".\\sub\\b.png", "狗")]
    lines = ["path,label", *(f"{path},{label}" for path, label in rows)]
    if name == "x.jsonl":
        lines = [f'{{"path": "{p}", "label": "{t}"}}'.replace("\\", "\\\\") for p, t in rows]
    splits = _read(tmp_path, name, ("\r\n".join(lines) + "\r\n").encode(encoding))
    assert set(splits.classes) == {"花朵", "狗"}
    assert len(splits.train) == 2
    assert splits.skipped == {}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'{"path": "sub/a.png", "label": 1}\n' + b"[" * 100_000, r"x\.jsonl:2: nested deeper"),
        (b'\n{"path": "sub/a.png", "label": NaN}', r"x\.jsonl:2: NaN is no number"),
        (b'\n{"path": "sub/a.png", "label": 1e999}', r"x\.jsonl:2: the number 1e999 is too large"),
        (b'{"path": "sub/a.png", "label": ' + b"9" * 5000 + b"}", r":1: a number of 5000 digits"),
        (b'{"path": "sub/a.png", "label": [1]}', r":1: 'label' must be text; found '\[1\]'"),
        (b'{"path": "sub/a.png", "label": true}', r":1: 'label' must be text; found 'True'"),
        (b'{"path": {"a": 1}, "label": 1}', r":1: 'path' must be text"),
        (b'{"path": "a", "path": "b", "label": 1}', r":1: the key 'path' occurs twice"),
        (b'{"path": "a", "label": null}', r":1: 'label' is missing"),
        (b'{"path": "\\ud800", "label": 1}', r":1: half a character"),
        (b'{"path": "a\0", "label": 1}', r":1: not valid text: a NUL"),
        (b"{'path': 'a'}", r":1: not valid JSON"),
        (b"3", r":1: expected an object"),
    ],
)
def test_lines_of_json_that_cannot_be_used_are_named(
    tmp_path: Path, data: bytes, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        _read(tmp_path, "x.jsonl", data)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"path,label\nsub/a.png,\0", r"x\.csv:2: not valid text: a NUL"),
        (b"path,label\nsub/a.png,caf\xe9\n", r"x\.csv:2: not UTF-8 text; save the file as UTF-8"),
        (b"path,label\nsub/a.png," + b"a" * 200_000, r"x\.csv:2: .*(field larger|label of 200000)"),
        (b"path;label\nsub/a.png;cat\n", r"x\.csv:1: .*commas must part them"),
        (b"path\tlabel\nsub/a.png\tcat\n", r"x\.csv:1: .*commas must part them"),
        (b"", r"x\.csv:1: expected the columns"),
    ],
)
def test_rows_that_cannot_be_used_are_named(tmp_path: Path, data: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        _read(tmp_path, "x.csv", data)


@pytest.mark.parametrize("name", ["a" * 5000, "~nobody-here/a.png", "C:\\gone\\a.png"])
def test_pictures_of_odd_names_are_left_out_and_named(tmp_path: Path, name: str) -> None:
    splits = _read(tmp_path, "x.csv", f"path,label\n{name},cat\nsub/a.png,cat\n".encode())
    assert list(splits.skipped) == [name]
    assert len(splits.train) == 1
