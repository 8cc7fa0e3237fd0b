"""What a notebook shows of entries and checkpoints."""

from __future__ import annotations

import pickle

import pytest

from tests.html_reading import Reading
from zoohub.manifest.entry import Checkpoint, Entries, Entry

HOSTILE = ["<script>alert(1)</script>", '"><b>', "a\x1b[31m", "\u202egnp.exe"]


def entry_of(word: str, checkpoints: int = 2) -> Entry:
    files = tuple(
        Checkpoint(word, f"{word}{n}", word, (word,), "sha256", "a" * 64, size=2_500_000,
                   dataset=word, metrics={word: 76.5}, licence=word, note=word)
        for n in range(checkpoints)
    )  # fmt: skip
    return Entry(word, word, word, f"{word}0", checkpoints=files, description=word, aliases=(word,),
                 parameter_count=1_234_567, paper=word)  # fmt: skip


@pytest.mark.parametrize("word", HOSTILE)
def test_an_entry_a_checkpoint_and_a_list_are_tables_of_text(word: str) -> None:
    entry = entry_of(word)
    for shown in (entry, entry.checkpoints[0], Entries([entry, entry])):
        read = Reading(shown._repr_html_())
        assert read.tags <= {"div", "table", "caption", "thead", "tbody", "tr", "th", "td"}
        assert not [given for _, given in read.elements if set(given) - {"scope"}]
        assert any(repr(word)[1:-1].split("\\")[0] in text for text in read.words)


def test_an_entry_says_what_is_known_and_marks_its_default() -> None:
    words = Reading(entry_of("net")._repr_html_()).words
    assert words[0] == "net"
    assert words[words.index("parameters") + 1] == "1,234,567"
    row = words.index("net0 (default)")
    assert words[row : row + 7] == (
        ["net0 (default)", "net", "net", "net 76.5", "2.5 MB", "sha256", "net"]
    )
    assert "net1" in words


def test_what_is_unknown_is_left_out_of_a_card() -> None:
    words = Reading(Entry("net", "net", "image-classification", None)._repr_html_()).words
    assert "paper" not in words
    assert "parameters" not in words


def test_long_lists_are_cut_and_counted() -> None:
    assert "and 20 more" in Reading(entry_of("net", 120)._repr_html_()).words
    many = Entries([entry_of(f"net{n}") for n in range(130)])
    assert "and 30 more" in Reading(many._repr_html_()).words
    assert pickle.loads(pickle.dumps(many)) == many
