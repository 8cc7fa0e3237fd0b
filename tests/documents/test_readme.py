"""The README in two languages: one says what the other says, as far as commands can tell."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ENGLISH, CHINESE = "README.md", "README.zh-CN.md"
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMENT = re.compile(r"(^|\s+)# .*$")

if not (ROOT / ENGLISH).is_file():
    pytest.skip("the README is in a checkout only", allow_module_level=True)


def sections(name: str) -> list[str]:
    """The parts between second-level headings, outside of code."""
    return re.split(r"^## ", (ROOT / name).read_text("utf-8"), flags=re.MULTILINE)


def blocks(section: str) -> Iterator[tuple[str, list[str]]]:
    """The language and the lines of each block of code, comments (which are translated) aside."""
    for language, text in _BLOCK.findall(section):
        yield language, [_COMMENT.sub("", line).rstrip() for line in text.splitlines()]


def rows(section: str) -> list[list[list[str]]]:
    """Of each row of a table: the code in each of its cells."""
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[re.findall(r"`[^`]+`", cell) for cell in line.split("|")[1:-1]] for line in lines]


def test_the_sections_correspond() -> None:
    english, chinese = sections(ENGLISH), sections(CHINESE)
    assert len(english) == len(chinese) > 10
    for one, other in zip(english, chinese, strict=True):
        title = one.splitlines()[0]
        assert len(rows(one)) == len(rows(other)), title
        pictures = [re.findall(r"!\[[^]]+]\(([^)]+)\)", text) for text in (one, other)]
        assert pictures[0] == pictures[1], title
        for marker in ("- ", "1. "):
            assert one.count(f"\n{marker}") == other.count(f"\n{marker}"), title


def test_each_block_of_code_of_one_is_in_the_other_in_order() -> None:
    pairs = zip(sections(ENGLISH), sections(CHINESE), strict=True)
    found = [(list(blocks(one)), list(blocks(other))) for one, other in pairs]
    for one, other in found:
        assert one == other
    assert sum(len(one) for one, _ in found) > 8


def test_old_calls_and_new_calls_are_the_same_in_both_tables() -> None:
    tables = [
        rows(next(text for text in sections(name) if "`mindspore_hub.load(" in text))
        for name in (ENGLISH, CHINESE)
    ]
    assert tables[0] == tables[1]
    assert len(tables[0]) > 10


def test_each_names_the_other_and_what_they_link_to_is_there() -> None:
    for name, other in ((ENGLISH, CHINESE), (CHINESE, ENGLISH)):
        text = (ROOT / name).read_text("utf-8")
        assert f"]({other})" in text.partition("## ")[0]
        links = [link for link in re.findall(r"]\(([^)#]+)\)", text) if "://" not in link]
        assert links
        assert all((ROOT / link).exists() for link in links)
    assert "README.zh-CN.md" in (ROOT / "pyproject.toml").read_text("utf-8")
