"""Dictionaries, and the classes around their characters."""

from __future__ import annotations

from pathlib import Path

import pytest

from zoohub.errors import DataError
from zoohub.models.class_names import class_names
from zoohub.outputs.characters import CTC, RARE
from zoohub.tasks.text_recognition.dictionary import (
    layout_of,
    read_dictionary,
    spelling,
    with_dictionary,
)


def written(folder: Path, text: str) -> Path:
    file = folder / "dict.txt"
    file.write_text(text, encoding="utf-8", newline="")
    return file


def test_blanks_are_characters(tmp_path: Path) -> None:
    assert read_dictionary(written(tmp_path, "a\r\n\u3000\n \nb")) == ("a", "\u3000", " ", "b")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a\n\nb\n", "dict.txt:2: expected a character, found nothing"),
        ("a\nb\na\n", "dict.txt:3: 'a' is on line 1 already"),
        ("a\n" + "x" * 30, "dict.txt:2: expected a character, found xxx"),
        ("", "0 characters"),
    ],
)
def test_what_is_no_dictionary_is_one_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(DataError, match=said) as raised:
        read_dictionary(written(tmp_path, text))
    assert "\n" not in str(raised.value)


def test_what_is_beside_the_characters_stays_where_it_is() -> None:
    layout = layout_of(("<go>", "<stop>", "<", "a", ">", "<pad>"), CTC)
    assert layout.before == ("<go>", "<stop>")
    assert layout.characters == ("<", "a", ">")
    assert layout.after == ("<pad>",)
    assert layout_of(None, RARE).names == ("<go>", "<stop>")
    assert layout_of(("<blank>",), CTC).names == ("<blank>",)


def test_a_dictionary_of_ones_own_takes_the_characters_place(tmp_path: Path) -> None:
    file = written(tmp_path, "x\ny\n")
    assert with_dictionary(layout_of(None, CTC), file, 3) == ("x", "y", "<blank>")
    # As PaddleOCR's use_space_char: what the head has more is the space.
    known = layout_of(class_names("<blank> digits <space>"), CTC)
    assert with_dictionary(known, file, 4) == ("<blank>", "x", "y", " ")
    with pytest.raises(DataError, match=r"2 characters and <blank> are 3 classes, .* head has 37"):
        with_dictionary(layout_of(None, CTC), file, 37)


def test_shipped_dictionaries_have_as_many_classes_as_the_heads() -> None:
    counts = {
        "digits letters <blank>": 37, "chinese <blank>": 6624, "<blank> chinese <space>": 6625,
        "<go> <stop> chinese": 6625, "<GO> <STOP> <PAD> ascii-90 <UNKNOWN>": 94,
        "ascii-90 <UKN> <BOS/EOS>": 92,
    }  # fmt: skip
    for terms, count in counts.items():
        names = class_names(terms)
        assert len(names) == len(set(names)) == count
    chinese = class_names("chinese")
    assert chinese[5709] == "\u3000"
    assert chinese[:5] == tuple("'疗绚诚娇")


def test_a_letter_in_one_case_stands_for_both() -> None:
    own = spelling(("a", "B", "b", "<blank>"))
    assert own == {"a": 0, "A": 0, "B": 1, "b": 2}
