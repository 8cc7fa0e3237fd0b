"""What a file of texts is, is seen from its beginning."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from zoohub.errors import DataError
from zoohub.tasks.finding import find_reader, find_task
from zoohub.tasks.text_files import keys_of


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
