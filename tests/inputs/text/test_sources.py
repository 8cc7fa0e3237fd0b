"""What the user names as text, as sentences."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest

from zoohub.errors import DataError
from zoohub.inputs.text import Sentence, Text
from zoohub.inputs.text.sources import expand_inputs


def values(inputs: object) -> list[object]:
    return [source.value for source in expand_inputs(inputs)]


@pytest.mark.parametrize(
    "one", [[5, 6, 2], (5, 6, 2), np.array([5, 6, 2]), {"ids": [5, 6, 2]}, [np.int64(5), 6, 2]]
)
def test_whole_numbers_are_one_sentence(one: object) -> None:
    assert values(one) == [Sentence("input 0", ids=(5, 6, 2))]
    assert values([one, one])[1] == Sentence("input 1", ids=(5, 6, 2))


def test_an_array_of_rows_is_a_sentence_a_row() -> None:
    found = values(np.array([[5, 2, 0], [7, 8, 2]]))
    assert [one.ids for one in found] == [(5, 2, 0), (7, 8, 2)]  # type: ignore[attr-defined]


def test_a_text_is_called_by_itself() -> None:
    assert values("good day") == [Sentence("good day", text="good day")]
    assert values(["good", {"text": "day"}]) == [
        Sentence("good", text="good"),
        Sentence("input 1", text="day"),
    ]
    assert values(Text("a.txt")) == [Sentence("a.txt", text="a.txt")]


def test_a_file_has_a_sentence_a_line(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_bytes(b"\xef\xbb\xbfone\r\n\r\nthr\xc3\xa9e\n")
    one, two, three = expand_inputs(file)
    assert one.value == Sentence(f"{file}:1", text="one")
    assert two.error == f"{file}:2: an empty line, in which there is nothing to read"
    assert three.value == Sentence(f"{file}:3", text="thrée")
    assert expand_inputs(str(file)) == (one, two, three)
    with file.open("rb") as opened:
        assert expand_inputs(opened) == (one, two, three)
    assert values(b"one\ntwo") == [
        Sentence("input 0:1", text="one"),
        Sentence("input 0:2", text="two"),
    ]
    assert values(io.StringIO("one"))[0].text == "one"  # type: ignore[attr-defined]


def test_a_jsonl_has_ids_or_text_in_a_line(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    rows = [[5, 2], {"ids": [6, 2]}, {"text": "day"}, "night", {"label": 1}, [], [1.5], {}, [True]]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows) + "{\n[-4, 2]\n")
    found = expand_inputs(file)
    assert [source.value for source in found[:4]] == [
        Sentence(f"{file}:1", ids=(5, 2)),
        Sentence(f"{file}:2", ids=(6, 2)),
        Sentence(f"{file}:3", text="day"),
        Sentence(f"{file}:4", text="night"),
    ]
    for source, said in zip(
        found[4:],
        (
            "expected `text` or `ids`, found label", "no token at all", "1.5 is no token id",
            "expected `text` or `ids`, found nothing", "True is no token id", "",
            "-4 is no token id",
        ),
        strict=True,
    ):  # fmt: skip
        assert source.value is None
        assert str(source.error).startswith(f"{file}:")
        assert said in str(source.error)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty; give a sentence a line"),
        (b"one\ncaf\xe9 noir\n", ":2: not UTF-8 text"),
        (b"one\0two", "a NUL character"),
    ],
)
def test_a_file_that_is_no_text_is_one_line(tmp_path: Path, content: bytes, said: str) -> None:
    file = tmp_path / "a.txt"
    file.write_bytes(content)
    with pytest.raises(DataError, match=said) as caught:
        expand_inputs(file)
    assert "\n" not in str(caught.value)
    good, bad = expand_inputs(["day", file])
    assert good.error is None
    assert said in str(bad.error)


@pytest.mark.parametrize(
    "nothing", [[], np.zeros((0, 3), int), None, 3, [[]], "", " ", np.array(5)]
)
def test_nothing_at_all_is_an_error(nothing: object) -> None:
    with pytest.raises(DataError):
        expand_inputs(nothing)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.txt cannot be read: No such file"):
        expand_inputs(str(tmp_path / "none.txt"))
    with pytest.raises(DataError, match="cannot be read: Is a directory"):
        expand_inputs(tmp_path)
