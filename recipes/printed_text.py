"""What is printed, and in which fonts, on the pages of recipes/printed_pages.py.

Words and fonts are parted: a word goes by a hash to the pages to train on, to validate on or to
test on, and so does each family of fonts, by name. Words are those of Python's own documentation
(PSF licence, in `pydoc_data.topics`) and of the list `american-english` (SCOWL, free for any use).
"""

from __future__ import annotations

import hashlib
import pydoc_data.topics
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
from PIL import ImageFont

PARTS = ("train", "val", "test")
FAMILIES = {  # of fonts, by the beginning of their files' names; all others are trained on
    "val": ("OpenSans", "NotoMono", "NotoSansMono"),
    "test": ("Roboto", "Caladea", "DejaVuSerif", "EBGaramond", "LiberationMono"),
}
SHARES = {"test": 0.15, "val": 0.03}  # of the words
STYLES = ("regular", "bold", "italic", "oblique", "medium", "semibold", "book", "bolditalic",
          "boldoblique", "light", "r", "rb", "ri", "rbi", "")  # fmt: skip
CHARACTERS = "".join(map(chr, range(32, 127)))
LONGEST = 18  # characters of a word
MARKS = (".", ",", ",", ".", ";", ":", "!", "?", "...", ")", "'", '"')


@dataclass(frozen=True)
class Words:
    """What a part prints: tokens of running text, as often as they are there, and those of a list,
    each once."""

    running: Sequence[str]
    listed: Sequence[str]

    def token(self, random: np.random.Generator) -> str:
        """One, with or without punctuation, in small letters or capitals; or a number, or signs."""
        chance = random.random()
        if chance < 0.10:
            return number(random)
        if chance < 0.16:
            length = int(random.integers(1, 9))
            return "".join(random.choice(list(CHARACTERS[1:]), length))
        if chance < 0.55:
            return self.running[int(random.integers(len(self.running)))]
        word = self.listed[int(random.integers(len(self.listed)))]
        chance = random.random()
        word = word.upper() if chance < 0.12 else word.capitalize() if chance < 0.3 else word
        chance = random.random()
        if chance < 0.25:
            return word + MARKS[int(random.integers(len(MARKS)))]
        if chance < 0.30:
            left, right = ("()", '""', "''", "[]", "<>", "{}")[int(random.integers(6))]
            return f"{left}{word}{right}"
        if chance < 0.34:
            other = self.listed[int(random.integers(len(self.listed)))]
            return f"{word}{random.choice(list('-_/.@&'))}{other}"
        return word


def number(random: np.random.Generator) -> str:
    """A number, a price, a date, a time, a share or a version."""
    digits = str(int(random.integers(0, 10 ** int(random.integers(1, 8)))))
    two = [f"{int(random.integers(0, 60)):02d}" for _ in range(3)]
    kinds = (
        digits,
        digits,
        f"{int(digits):,}",
        f"{digits}.{two[0]}",
        f"${int(digits):,}.{two[0]}",
        f"{digits[:2]}%",
        f"{two[0]}:{two[1]}",
        f"{two[0]}/{two[1]}/20{two[2]}",
        f"20{two[0]}-{two[1]}-{two[2]}",
        f"({digits[:3]})",
        f"{digits}{random.choice(['.', ',', 'kg', 'km', ' EUR', 'x', '+', '#', '*'])}",
        f"{digits[:2]}{random.choice(['+', '-', '=', '*', '/'])}{two[0]}",
    )
    return kinds[int(random.integers(len(kinds)))]


@cache
def words_of(part: str, listed: Path) -> Words:
    """A part's words; `listed` is the file `american-english`, a word a line."""
    text = " ".join(pydoc_data.topics.topics.values())
    usable = set(CHARACTERS)
    running = [word for word in text.split() if len(word) <= LONGEST and set(word) <= usable]
    words = [word for word in listed.read_text("utf-8").split() if set(word) <= usable]
    return Words(
        [word for word in running if part_of(word) == part],
        [word for word in words if part_of(word) == part],
    )


@cache
def part_of(word: str) -> str:
    """train, val or test: the same for words that differ in case or punctuation alone."""
    stem = re.sub(r"\W", "", word).lower() or word
    place = int(hashlib.sha256(stem.encode()).hexdigest()[:8], 16) / (1 << 32)
    for part, share in SHARES.items():
        if place < share:
            return part
        place -= share
    return "train"


@cache
def fonts_of(part: str, folder: Path) -> list[list[Path]]:
    """The part's fonts, of usual weight and with letters for text: the files of each family."""
    found: dict[str, list[Path]] = {}
    for file in sorted(folder.rglob("*.[to]tf")):
        family, style = split_name(file.stem)
        mine = next((p for p, names in FAMILIES.items() if family.startswith(names)), "train")
        if mine == part and style.lower() in STYLES:
            found.setdefault(family, []).append(file)
    return list(found.values())


def split_name(stem: str) -> tuple[str, str]:
    """A font file's family and style.

    >>> split_name("Lato-Bold"), split_name("FreeSansBoldOblique"), split_name("LinBiolinum_RB")
    (('Lato', 'Bold'), ('FreeSans', 'BoldOblique'), ('LinBiolinum', 'RB'))
    """
    family, mark, style = re.sub(r"[-_]", "|", stem, count=1).partition("|")
    match = re.fullmatch(r"(Free[A-Z][a-z]+)(.*)", family)
    if not mark and match:
        return match[1], match[2]
    return family, style


@lru_cache(maxsize=4000)
def font_at(file: Path, size: int) -> ImageFont.FreeTypeFont:
    """The font in that size, in pixels of an em."""
    return ImageFont.truetype(str(file), size)
