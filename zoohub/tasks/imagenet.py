"""ImageNet-1k's classes by their synsets, WordNet's numbers: what its folders are called."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from importlib import resources

CLASSES = 1000
_SYNSET = re.compile(r"n\d{8}")


@cache
def imagenet_synsets() -> tuple[str, ...]:
    """The 1,000 synsets in the order of the networks' outputs, which is that of their numbers."""
    file = resources.files("zoohub.tasks") / "imagenet-synsets.txt"
    return tuple(file.read_text(encoding="utf-8").split())


def is_synset(name: str) -> bool:
    """Whether a name is written as a synset is.

    >>> is_synset("n01440764"), is_synset("tench")
    (True, False)
    """
    return _SYNSET.fullmatch(name) is not None


def synset_places(names: Sequence[str]) -> list[int] | None:
    """The class of each synset; None where one of the names is none of ImageNet-1k's."""
    places = {synset: place for place, synset in enumerate(imagenet_synsets())}
    found = [places.get(name, -1) for name in names]
    return None if min(found, default=-1) < 0 else found
