"""Vocabularies of language models, as the libraries that made them write them."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from zoohub.errors import DataError
from zoohub.inputs.text.subwords import read_subwords
from zoohub.manifest.entry import TextContract

TEXT = ["the cat sat on the mat", "a dog and a cat", "Grüße, 世界 and more"] * 20


@pytest.fixture
def json_file(tmp_path: Path) -> Path:
    tokenizers = pytest.importorskip("tokenizers")
    made = tokenizers.implementations.ByteLevelBPETokenizer()
    made.train_from_iterator(TEXT, vocab_size=300, show_progress=False)
    made.save(str(tmp_path / "tokenizer.json"))
    return tmp_path / "tokenizer.json"


@pytest.fixture
def model_file(tmp_path: Path) -> Path:
    sentencepiece = pytest.importorskip("sentencepiece")
    made = io.BytesIO()
    sentencepiece.SentencePieceTrainer.Train(
        sentence_iterator=iter(TEXT), model_writer=made, vocab_size=40, hard_vocab_limit=False,
        minloglevel=2,
    )  # fmt: skip
    (tmp_path / "t.model").write_bytes(made.getvalue())
    return tmp_path / "t.model"


@pytest.mark.parametrize("kind", ["json_file", "model_file"])
def test_text_is_cut_and_put_together(kind: str, request: pytest.FixtureRequest) -> None:
    file: Path = request.getfixturevalue(kind)
    words = read_subwords(file, TextContract())
    text = "the dog sat, Grüße 世界"
    ids = words.encode(text)
    assert len(ids) > 3
    assert max(ids) < words.size
    assert words.decode(ids) == text
    assert words.decode([ids[0], words.size + 5]) == words.decode(ids[:1])


@pytest.mark.parametrize("kind", ["json_file", "model_file"])
def test_a_vocabulary_of_another_size_is_refused(kind: str, request: pytest.FixtureRequest) -> None:
    file: Path = request.getfixturevalue(kind)
    size = read_subwords(file, TextContract()).size
    assert read_subwords(file, TextContract(vocab_size=size + 100)).size == size
    for wrong in (size - 1, size + 1024):
        with pytest.raises(DataError, match=rf"has {size} tokens, the network {wrong}; give"):
            read_subwords(file, TextContract(vocab_size=wrong))


def test_what_is_no_vocabulary_is_one_clear_line(tmp_path: Path) -> None:
    pytest.importorskip("tokenizers")
    pytest.importorskip("sentencepiece")
    said = {
        "none.json": "cannot be read: No such file",
        "a.json": "is no tokenizer.json",
        "a.model": "is no SentencePiece model",
        "a.txt": "expected a tokenizer.json, or a SentencePiece .model",
    }
    for name, words in said.items():
        file = tmp_path / name
        if name != "none.json":
            file.write_text('{"a": 1}')
        with pytest.raises(DataError, match=words) as caught:
            read_subwords(file, TextContract())
        assert "\n" not in str(caught.value)
