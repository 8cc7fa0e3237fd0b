"""Words cut as they were for training: byte pair encoding by a file of merges.

The file is subword-nmt's: after a first line `#version: 0.2`, two pieces a line that become one,
the earliest first; `</w>` ends a word (Sennrich et al., "Neural Machine Translation of Rare Words
with Subword Units", 2016).
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import TypeAlias

from zoohub.core.text_reader import is_file, lines_of, read_text_file
from zoohub.errors import DataError

Merges: TypeAlias = Mapping[tuple[str, str], int]

_VERSION = "#version: 0.2"
_END = "</w>"
GOES_ON = "@@"


def merges_beside(vocabulary: Path) -> Merges | None:
    """The merges of `bpe.32000` beside `vocab.bpe.32000`; None where there is no such file.

    Raises:
        DataError: it cannot be read.
    """
    prefix = "vocab."
    file = vocabulary.with_name(vocabulary.name.removeprefix(prefix))
    if not vocabulary.name.startswith(prefix + "bpe.") or not is_file(file):
        return None
    first, *lines = lines_of(read_text_file(file)) or [""]
    if first.strip() != _VERSION:
        raise DataError(f"{file}:1: expected {_VERSION!r}, as subword-nmt writes it")
    merges: dict[tuple[str, str], int] = {}
    for number, line in enumerate(lines, 2):
        pieces = line.rstrip(" \r").split(" ")  # other blanks are pieces
        if len(pieces) != 2:
            raise DataError(f"{file}:{number}: expected two pieces, found {len(pieces)}")
        merges.setdefault((pieces[0], pieces[1]), number)
    return merges


def cut(word: str, merges: Merges) -> list[str]:
    """The pieces of a word; all but the last end in `@@`."""
    pieces = [*word[:-1], word[-1] + _END]
    while len(pieces) > 1:
        ranked = [(merges[pair], pair) for pair in set(pairwise(pieces)) if pair in merges]
        if not ranked:
            break
        pieces = _merged(pieces, min(ranked)[1])
    return [*(piece + GOES_ON for piece in pieces[:-1]), pieces[-1].removesuffix(_END)]


def _merged(pieces: list[str], pair: tuple[str, str]) -> list[str]:
    """Every such pair as one piece, from the left."""
    found: list[str] = []
    at = 0
    while at < len(pieces):
        if tuple(pieces[at : at + 2]) == pair:
            found.append(pieces[at] + pieces[at + 1])
            at += 2
        else:
            found.append(pieces[at])
            at += 1
    return found
