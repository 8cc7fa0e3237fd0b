"""JSON of strangers: what is refused is named with its line."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from zoohub.core.json_reader import parse_json, parse_own, read_json_file
from zoohub.errors import DataError


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": 1,\n "b": [1, NaN]}', r"x:2: NaN is no number"),
        ('{"a": 1,\n\n "b": -Infinity}', r"x:3: -Infinity is no number"),
        ('[1,\n 1e999]', r"x:2: the number 1e999 is too large"),
        ('[1,\n 1.5E+4000]', r"x:2: the number 1.5E\+4000 is too large"),
        ("[1,\n " + "9" * 400 + "]", r"x:2: a number of 400 digits"),
        ("[1,\n " + "9" * 5000 + "]", r"x:2: a number of 5000 digits"),
        ("[1,\n " + "9" * 400 + ".5]", r"x:2: the number 9+ is too large"),
        ("[\n" * 100_000, r"x:65: nested deeper than 64 levels"),
        ("[\n" * 70 + "]" * 70, r"x:65: nested deeper than 64 levels"),
        ('{"a":\n' * 5000, r"x:65: nested deeper"),
        ('{"a": 1,\n"b": {"a": 2},\n"a": 3}', r"x:3: the key 'a' occurs twice"),
        ('["\\ud800",\n 1]', r"x:1: half a character"),
        ('{"a": 1,\n"b" 2}', r"x:2: not valid JSON: Expecting ':' delimiter; mend that line"),
        ("", r"x:1: not valid JSON"),
        ("[1]\n]", r"x:2: not valid JSON: Extra data"),
    ],
)  # fmt: skip
def test_what_is_refused_is_named_with_its_line(text: str, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        parse_json(text.encode(), "x", error=DataError)
    assert ";" in str(caught.value)  # the cure
    assert len(str(caught.value)) < 300


def test_what_only_looks_refused_is_read() -> None:
    text = '{"NaN": "1e999", "b": [1e300, -1e-999, "\\ud83d\\ude00", "' + "9" * 500 + '"]}'
    value = parse_json(text, "x")
    assert value["NaN"] == "1e999"
    assert value["b"][:3] == [1e300, 0.0, "😀"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_byte_order_marks_are_passed_over(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "x.json"
    file.write_bytes('{"a": "文"}'.encode(encoding))
    assert read_json_file(file) == {"a": "文"}


def test_a_line_of_many_is_named_by_its_own_number() -> None:
    with pytest.raises(DataError, match=r"x:7: not valid JSON"):
        parse_json("{", "x", error=DataError, line=7)
    with pytest.raises(DataError, match="larger than 3 bytes"):
        parse_json("[1, 2]", "x", error=DataError, max_bytes=3)


@pytest.mark.parametrize("text", ["[" * 100_000, "{", "[1"])
def test_what_zoohub_wrote_itself_is_damaged_or_read(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_own(text)
    assert parse_own('{"a": 1e400}') == {"a": float("inf")}


def test_depth_is_refused_wherever_python_would_stop() -> None:
    before = sys.getrecursionlimit()
    try:
        sys.setrecursionlimit(20_000)  # as some libraries do
        for text in ('{"a":\n' * 3000, "[\n" * 3000 + "]" * 3000, "[\n" * 3000):
            with pytest.raises(DataError, match=r"x:65: nested deeper than 64 levels"):
                parse_json(text, "x", error=DataError)
    finally:
        sys.setrecursionlimit(before)
