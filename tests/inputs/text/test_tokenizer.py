"""Text cut for encoders, by a vocab.txt or a tokenizer.json."""

from __future__ import annotations

from pathlib import Path

import pytest

from zoohub.errors import DataError
from zoohub.inputs.text.tokenizer import read_tokenizer

pytest.importorskip("tokenizers")
MARKS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def written(folder: Path, *words: str) -> Path:
    file = folder / "vocab.txt"
    file.write_text("\n".join([*MARKS, *words]) + "\n", encoding="utf-8")
    return file


def test_words_are_cut_into_the_longest_pieces(tmp_path: Path) -> None:
    found = read_tokenizer(written(tmp_path, "un", "##aff", "##able", "cafe", "，", "好"))
    assert found.size == 11
    assert found.encode("UNaffable, Café") == [2, 5, 6, 7, 1, 8, 3]
    assert found.encode("好，好") == [2, 10, 9, 10, 3]
    assert (found.token(4), found.id("[MASK]"), found.token(11)) == ("[MASK]", 4, None)


def test_text_keeps_its_capitals_where_the_vocabulary_has_some(tmp_path: Path) -> None:
    assert read_tokenizer(written(tmp_path, "a", "A")).encode("A a") == [2, 6, 5, 3]
    many = [f"w{number}" for number in range(200)]
    assert read_tokenizer(written(tmp_path, "a", "A", *many)).encode("A a") == [2, 5, 5, 3]


def test_ernies_file_has_the_ids_in_a_column_of_their_own(tmp_path: Path) -> None:
    file = tmp_path / "vocab.txt"
    file.write_text("".join(f"{word}\t{n}\n" for n, word in enumerate([*MARKS, "a"])))
    assert read_tokenizer(file).encode("a") == [2, 5, 3]
    file.write_text("[CLS]\t0\n[SEP]\t7\n")
    with pytest.raises(DataError, match=r"vocab.txt:2: expected the id 1, found '7'"):
        read_tokenizer(file)


def test_a_tokenizer_json_says_all_itself(tmp_path: Path) -> None:
    words = read_tokenizer(written(tmp_path, "a", "b"))
    words.engine.enable_truncation(2)
    words.engine.enable_padding(length=9)
    file = tmp_path / "tokenizer.json"
    file.write_text(words.engine.to_str())
    assert read_tokenizer(file, 7).encode("a b a") == [2, 5, 6, 5, 3]
    file.write_text("{}")
    with pytest.raises(DataError, match="no tokenizer of Hugging Face's"):
        read_tokenizer(file)


def test_what_is_no_vocabulary_of_the_network_is_one_line(tmp_path: Path) -> None:
    file = written(tmp_path, "a", "b")
    with pytest.raises(DataError, match="has ids up to 6, the network's table only 6 words"):
        read_tokenizer(file, 6)
    file.write_text("a\nb\n")
    with pytest.raises(DataError, match=r"has no \[CLS\], so it is no vocab.txt of an encoder"):
        read_tokenizer(file)
