"""What a file of texts is, is seen from its beginning."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from zoohub.errors import DataError
from zoohub.tasks.finding import find_reader, find_task
from zoohub.tasks.text_files import has_lines, is_tagged, keys_of, rows_of_file


def test_a_long_first_row_has_its_keys(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text(json.dumps({"text": "a " * 100_000, "split": "train"}) + "\n")
    assert keys_of(file) == {"text", "split"}
    assert find_reader(find_task("fill-mask"), file, "m").claims(file)


def test_the_columns_of_a_table_in_utf_16_are_known(tmp_path: Path) -> None:
    file = tmp_path / "a.tsv"
    file.write_text("Question\tcontext\na\tb\n", encoding="utf-16")
    assert keys_of(file) == {"question", "context"}


@pytest.mark.parametrize(
    ("task", "name"),
    [
        ("question-answering", "a.json"), ("question-answering", "a.csv"),
        ("named-entity-recognition", "a.conll"), ("named-entity-recognition", "a.jsonl"),
        ("fill-mask", "a.txt"), ("language-model", "a.jsonl"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_one_line(
    task: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / name
    file.write_text("a\n")

    def refused(*arguments: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refused)
    (reader,) = find_task(task).readers
    with pytest.raises(DataError, match=r"a\.\w+ cannot be read: Permission denied"):
        reader.claims(file)


@pytest.mark.parametrize(
    ("text", "tagged"),
    [
        ("ann B-PER\nmet O\n\nbob B-PER\n", True),
        ("-DOCSTART- -X- O O\n\nEU NNP B-NP B-ORG\nrejects VBZ B-VP O\n", True),
        ("ann B-PER\nmet\nbob O\n", True),  # with a line that lacks its tag
        ("Blood type O\n", False),
        ("Blood type O\nThe cat sat there\n", False),
        ("Blood type O\nIt is B-12\nA cat\nA dog\n", False),
        ("\n\n", False),
    ],
)
def test_a_text_that_ends_in_o_is_no_tag(text: str, tagged: bool, tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text(text)
    assert is_tagged(file) is tagged
    assert has_lines(file) is (not tagged and bool(text.strip()))


def test_a_table_may_begin_with_an_empty_line(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text('\n,\nText,label\na,b\n\n"c\nd",e\nx\n')
    rows = list(rows_of_file(file))
    assert [name.rpartition(":")[2] for name, _ in rows] == ["4", "7", "8"]
    assert [dict(row) for _, row in rows] == [
        {"text": "a", "label": "b"}, {"text": "c\nd", "label": "e"}, {"text": "x", "label": None},
    ]  # fmt: skip
