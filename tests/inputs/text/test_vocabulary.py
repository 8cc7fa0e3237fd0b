"""Text cut into the tokens of a vocabulary, and put together again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from zoohub.errors import DataError
from zoohub.inputs.text import Vocabulary, padded, read_vocabulary
from zoohub.inputs.text.shipped import vocabulary_file
from zoohub.manifest.entry import TextContract

TOKENS = ["<unk>", "<s>", "</s>", "good", "day", ",", ".", "to@@", "mor@@", "row", "t@@", "o@@",
          "morrow", "s@@", "<", ">", "/", "day@@", "s"]  # fmt: skip
CONTRACT = TextContract(vocab_size=len(TOKENS), start_id=1, end_id=2)


def vocabulary(tmp_path: Path, tokens: list[str], contract: TextContract = CONTRACT) -> Vocabulary:
    file = tmp_path / "vocab.txt"
    file.write_text("\n".join(tokens) + "\n", encoding="utf-8")
    return read_vocabulary(file, contract)


def spelt(words: Vocabulary, text: str) -> list[str]:
    return [TOKENS[id] for id in words.encode(text)]


def test_words_are_tokens_or_the_fewest_pieces(tmp_path: Path) -> None:
    words = vocabulary(tmp_path, TOKENS)
    assert spelt(words, "good day") == ["good", "day"]
    assert spelt(words, "tomorrow") == ["to@@", "morrow"]  # not t@@ o@@ mor@@ row
    assert spelt(words, "good days, tomorrow.") == [
        "good", "day@@", "s", ",", "to@@", "morrow", ".",
    ]  # fmt: skip
    assert spelt(words, "to@@ mor@@ row") == ["to@@", "mor@@", "row"]  # cut by someone before
    assert spelt(words, "xyz day") == ["<unk>", "day"]
    assert words.encode("") == []


def test_text_is_put_together_again(tmp_path: Path) -> None:
    words = vocabulary(tmp_path, TOKENS)
    for text in ("good day", "tomorrow", "good days , tomorrow ."):
        assert words.decode(words.encode(text)) == text
    assert words.decode([7, 99]) == "to<unk>"
    assert words.decode([7]) == "to"
    assert words.decode([]) == ""


def test_a_text_that_names_the_end_does_not_end(tmp_path: Path) -> None:
    words = vocabulary(tmp_path, TOKENS)
    assert CONTRACT.end_id not in words.encode("</s> day </s>")
    assert spelt(words, "</s>") == ["<", "/", "s", ">"]


def test_a_long_word_takes_no_long_time(tmp_path: Path) -> None:
    words = vocabulary(tmp_path, TOKENS)
    assert spelt(words, "t" * 20_000 + "o") == ["<unk>"]
    assert len(words.encode("s" * 20_000)) == 20_000


@pytest.mark.parametrize(
    ("tokens", "said"),
    [
        ([*TOKENS, "more"], r"vocab\.txt has 20 tokens, the network 19"),
        (["<s>", *TOKENS[1:]], None),
        ([TOKENS[0], "</s>", "<s>", *TOKENS[3:]], r":2: the network's <s> is here, found '</s>'"),
        (TOKENS[:2], r"vocab\.txt has 2 tokens, the network 19"),
        ([*TOKENS[:4], "", *TOKENS[5:]], r":5: an empty line"),
    ],
)
def test_a_vocabulary_of_another_network_is_one_line(
    tmp_path: Path, tokens: list[str], said: str | None
) -> None:
    if said is None:
        with pytest.raises(DataError, match=r"'xyz' is not made of .* and it has no <unk>"):
            vocabulary(tmp_path, tokens).encode("xyz")
        return
    with pytest.raises(DataError, match=said) as caught:
        vocabulary(tmp_path, tokens)
    assert "\n" not in str(caught.value)


def test_a_network_may_have_some_ids_that_are_no_tokens(tmp_path: Path) -> None:
    more = [*TOKENS, *(f"word{n}" for n in range(3000))]
    words = vocabulary(tmp_path, more, TextContract(vocab_size=3040))
    assert words.decode([2999, 3039]) == f"word{2999 - len(TOKENS)} <unk>"
    with pytest.raises(DataError, match="has 19 tokens, the network 3040"):
        vocabulary(tmp_path, TOKENS, TextContract(vocab_size=3040))


def test_counts_after_the_tokens_are_left_aside(tmp_path: Path) -> None:
    words = vocabulary(tmp_path, [f"{token} {n}" for n, token in enumerate(TOKENS)])
    assert words.tokens == tuple(TOKENS)


def merging(tmp_path: Path, merges: str) -> Vocabulary:
    file = tmp_path / "vocab.bpe.10"
    file.write_text("\n".join(TOKENS) + "\n")
    (tmp_path / "bpe.10").write_text(merges)
    return read_vocabulary(file, CONTRACT)


def test_words_are_cut_by_the_merges_beside_the_vocabulary(tmp_path: Path) -> None:
    words = merging(tmp_path, "#version: 0.2\nt o\nm o\nmo r\nr o\nro w</w>\n")
    # By the merges' order, though to@@ morrow would be fewer.
    assert spelt(words, "tomorrow") == ["to@@", "mor@@", "row"]
    assert spelt(words, "good to@@ day") == ["good", "to@@", "day"]
    assert spelt(words, "toxic day") == ["to@@", "<unk>", "<unk>", "<unk>", "day"]
    assert words.decode(words.encode("tomorrow")) == "tomorrow"


@pytest.mark.parametrize(
    ("merges", "said"),
    [
        ("t o\n", r"bpe\.10:1: expected '#version: 0\.2'"),
        ("", r"bpe\.10:1: expected '#version: 0\.2'"),
        ("#version: 0.2\nt o\nx\n", r"bpe\.10:3: expected two pieces, found 1"),
    ],
)
def test_a_file_of_merges_that_is_none_is_one_line(tmp_path: Path, merges: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        merging(tmp_path, merges)


def test_sequences_are_filled_up() -> None:
    assert padded([[5, 2], [7, 8, 2]], 0).tolist() == [[5, 2, 0], [7, 8, 2]]
    assert padded([[5]], 9, 3).tolist() == [[5, 9, 9]]
    assert padded([], 0).shape == (0, 0)


def test_other_blanks_than_spaces_and_tabs_are_tokens(tmp_path: Path) -> None:
    """Corpora of the web have them, and each takes an id."""
    tokens = ["<unk>", "<s>", "</s>", "\u00a0 3", "\u2028\t2", "\x85", " a", "b\r"]
    words = vocabulary(tmp_path, tokens, TextContract(vocab_size=8, start_id=1, end_id=2))
    assert words.tokens[3:] == ("\u00a0", "\u2028", "\x85", "a", "b")
    assert words.encode("a b") == [6, 7]
    (tmp_path / "vocab.bpe.8").write_text("\n".join(tokens) + "\n", encoding="utf-8")
    merges = "#version: 0.2\n\u2028 a\nx y</w>\r\n"
    (tmp_path / "bpe.8").write_text(merges, encoding="utf-8", newline="")
    found = read_vocabulary(tmp_path / "vocab.bpe.8", TextContract()).merges
    assert found is not None
    assert list(found) == [("\u2028", "a"), ("x", "y</w>")]


def test_text_with_signs_of_joining_comes_back_as_it_was_written(tmp_path: Path) -> None:
    tokens = ["<unk>", "<s>", "</s>", "good", "day", "days", "s", "-", "￭,", "￭.", "(￭", "￭)￭",
              "￭.￭", "￭-￭"]  # fmt: skip
    words = vocabulary(tmp_path, tokens, TextContract(vocab_size=len(tokens), start_id=1, end_id=2))
    for text in ("good day, good days.", "good (day), good day...", "good - good-day"):
        assert words.decode(words.encode(text)) == text
    ids = words.encode("(good day), s.")
    assert [tokens[id] for id in ids] == ["(￭", "good", "day", "￭)￭", "￭,", "s", "￭."]
    assert words.decode(words.encode("good!")) == "good <unk>"  # a sign that it does not have


def test_the_file_given_goes_before_the_one_that_comes_with_the_network() -> None:
    contract = TextContract(vocabulary="embedded:textcnn-languages.json")
    with vocabulary_file(contract, None) as path:
        assert path is not None
        assert len(json.loads(path.read_text(encoding="utf-8"))["model"]["vocab"]) > 7000
    with vocabulary_file(contract, "other.txt") as path:
        assert path is not None
        assert path.name == "other.txt"
    with vocabulary_file(TextContract(vocabulary="vocab.txt of somewhere"), None) as path:
        assert path is None


@pytest.mark.parametrize("name", ["", "none.txt", "../digits/heldout.txt", ".", "a\0b"])
def test_a_vocabulary_that_the_package_does_not_carry_is_named(name: str) -> None:
    contract = TextContract(vocabulary=f"embedded:{name}")
    with pytest.raises(DataError, match="carries no vocabulary"), vocabulary_file(contract, None):
        pass
