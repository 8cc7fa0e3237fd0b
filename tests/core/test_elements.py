"""HTML by parts: whatever the words are, the tags are ours."""

from __future__ import annotations

import doctest

import pytest

from tests.html_reading import Reading
from zoohub.core import elements
from zoohub.core.escaping import shown

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'; alert(1) //",
    "</td></table><h1>",
    "&lt;b&gt;",
    "a\x1b[2Jb\x00c",
    "\u202egnp.exe",
    "人脸\u2028é",
]


@pytest.mark.parametrize("word", HOSTILE)
def test_a_strangers_word_is_text_in_every_place(word: str) -> None:
    document = elements.table((word, "b"), [(word, 1), (2, word)], word)
    document += elements.facts({word: word, "empty": None}, word)
    document += elements.picture(b"\x89PNG", "png", word, 10)
    read = Reading(document)
    assert read.tags == {"table", "caption", "thead", "tbody", "tr", "th", "td", "img"}
    assert all(set(given) <= {"scope", "src", "alt", "style"} for _, given in read.elements)
    assert read.words.count(shown(word)) == 7
    assert read.elements[-1][1]["alt"] == shown(word)
    assert document.isprintable()


def test_the_examples_run() -> None:
    assert doctest.testmod(elements).failed == 0
