"""YAML of strangers: words stay words, and what is refused is named with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from zoohub.core.yaml_reader import parse_yaml, plain_text, read_yaml
from zoohub.errors import DataError

BOMB = "a: &a [x, x]\n" + "".join(f"{c}: &{c} [*{p}, *{p}]\n" for p, c in zip("abcdef", "bcdefg"))  # noqa: B905


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (BOMB, r"x:1: anchors .* are refused; write it out"),
        ("a: 1\nb: *a\n", r"x:2: aliases"),
        ("a: 1\nb: !!int x\n", r"x:2: tags are refused"),
        ("a: 1\nb: !!python/object/apply:os.system [ls]\n", r"x:2: tags are refused"),
        ("a: 1\nb: " + "[" * 5000, r"x:2: not valid YAML: exceeded|x:2: nested deeper"),
        ("a: 1\nb: " + "[" * 30 + "]" * 30, r"x:2: nested deeper than 16 levels"),
        ("a: 1\nb: 1e999\n", r"x:2: the number 1e999 is too large; quote it"),
        ("a: 1\nb: -" + "9" * 5000, r"x:2: the number -9+… is too large"),
        ("a: 1\nb: " + "9" * 400, r"x:2: the number 9+… is too large"),
        ("a: 1\na: 2\n", r"x:2: the key 'a' occurs twice"),
        ("a: 1\n---\nb: 2\n", r"x:2: more than one document"),
        ("a: 1\nb: 'x\0'\n", r"x:2: .*NUL"),
        ("a: 1\nb: " + "x" * 30_000, r"x:2: a text of 30000 characters"),
        ("a: [1\nb: 2\n", r"x:2: not valid YAML"),
    ],
)
def test_what_is_refused_is_named_with_its_line(text: str, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        parse_yaml(text.encode(), "x", error=DataError)
    assert len(str(caught.value)) < 300


def test_words_and_dates_stay_as_they_are_written() -> None:
    text = "a: [yes, no, on, 2024-13-45, 99999-01-01, 0x1f, 1:30, .inf, NaN, 1_000, ²]\n"
    assert parse_yaml(text, "x").value["a"] == [
        "yes", "no", "on", "2024-13-45", "99999-01-01", "0x1f", "1:30", ".inf", "NaN", "1_000", "²"
    ]  # fmt: skip


def test_where_texts_are_wanted_every_word_is_one() -> None:
    text = "a: [yes, 1.0, 1.10, 01, true, 1e999, 'null']\nb: {0: on, 1: ~}\nc:\n"
    assert parse_yaml(text, "x", scalar=plain_text).value == {
        "a": ["yes", "1.0", "1.10", "01", "true", "1e999", "null"],
        "b": {"0": "on", "1": None},
        "c": None,
    }


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "gbk"])
def test_it_is_read_however_it_was_saved(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "x.yaml"
    file.write_bytes("a: 猫狗\r\nb: 1\r\n".encode(encoding))
    assert read_yaml(file, chinese=True).value == {"a": "猫狗", "b": 1}
