"""Class names by data set, in the order of the networks' outputs; and characters by dictionary.

The names are in `data/<data set>.txt`, one a line; NOTICE says where they come from, and
`tests/models/check_class_names.py` compares them with two published packages each. Characters are
in `data/characters/`; what reads text has classes beside them, which the index spells out:
`chinese <blank>`, and of many alike says how many: `<unused*359>`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib import resources

from zoohub.errors import DataError

SPACE = "<space>"
_MANY = re.compile(r"<(\w+)\*(\d{1,5})>")

# Numbers that COCO's 80 detection classes leave out of its 1..90.
_COCO_UNUSED_IDS = frozenset((12, 26, 29, 30, 45, 66, 68, 69, 71, 83))


def class_names(name: str) -> tuple[str, ...]:
    """The class names of a data set, by its name in the index (`imagenet-1k`, `coco-2017`, …); of
    several terms those of each in turn, of which one in `<…>` is a class itself, or several.

    >>> class_names("<end> digits letters <space>")[:3], class_names("digits <space>")[-2:]
    (('<end>', '0', '1'), ('9', ' '))
    >>> class_names("<unused*2>")
    ('<unused>', '<unused>')

    Raises:
        DataError: zoohub has no names for it; says for which it has.
    """
    return tuple(found for term in name.split() or [name] for found in _names_of(term))


def _names_of(term: str) -> Sequence[str]:
    if many := _MANY.fullmatch(term):
        return [f"<{many[1]}>"] * int(many[2])
    if term.startswith("<"):
        return [" " if term == SPACE else term]
    folder = resources.files("zoohub.models") / "data"
    characters = folder / "characters" / f"{term}.txt"
    known = known_labels()
    if term in known:
        return (folder / f"{term}.txt").read_text(encoding="utf-8").splitlines()
    if "/" in term or not characters.is_file():
        raise DataError(f"zoohub has no class names for {term!r}; it has {', '.join(known)}")
    text = characters.read_text(encoding="utf-8")
    return text.removesuffix("\n").split("\n")  # ends of lines of other kinds are characters


def known_labels() -> tuple[str, ...]:
    """The data sets that zoohub has class names for."""
    folder = resources.files("zoohub.models") / "data"
    return tuple(
        sorted(f.name.removesuffix(".txt") for f in folder.iterdir() if f.name.endswith(".txt"))
    )


def coco_category_ids() -> tuple[int, ...]:
    """COCO's own category number for each of the 80 classes of `coco-2017`, in their order."""
    return tuple(number for number in range(1, 91) if number not in _COCO_UNUSED_IDS)
