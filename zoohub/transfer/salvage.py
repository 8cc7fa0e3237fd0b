"""A file that was damaged in the store gives its good pieces to the download that repairs it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from itertools import groupby

from zoohub.core.hashing import PIECE, FileHash, first_damaged, hash_file
from zoohub.store import Store
from zoohub.store.partial import Partial, Span


@dataclass
class Salvage:
    """What is known of a damaged file whose bytes fill an unfinished one: right `marks` and size.

    They show one wrong piece at a time. `last` is the one that was fetched last: a mark that is
    wrong no later than there means that the source has other bytes.
    """

    marks: tuple[str, ...]
    size: int
    last: int = -1

    def next_damaged(self, found: FileHash) -> int | None:
        """The piece to fetch after those before it are right; None if that would not help."""
        number = first_damaged(self.marks, found.marks)
        if number is None or number <= self.last or found.size != self.size:
            return None
        self.last = number
        return number


def salvage(store: Store, sha256: str, partial: Partial) -> Salvage | None:
    """Fill `partial`, if it is empty, with the damaged file, if there is one, wrong pieces missing.

    The bytes are copied: readers may still have the damaged file mapped. Which piece is wrong the
    marks tell; the full hash of the repaired file decides whether it is right.
    """
    found = store.damaged(sha256)
    if found is None:
        return None
    path, size, marks = found
    if len(marks) == 1 or len(marks) != -(-size // PIECE):
        return None
    if partial.have:
        return Salvage(marks, size)  # an earlier repair was interrupted
    hashed = hash_file(path)
    missing = {n for n in range(len(marks)) if min((n + 1) * PIECE, size) > hashed.size}
    first = first_damaged(marks, hashed.marks)
    if first is not None:
        missing.add(first)
    with path.open("rb") as source:
        shutil.copyfileobj(source, partial.file, 1 << 20)
    partial.file.truncate(size)
    partial.spans = plan_spans(missing, size)
    return Salvage(marks, size, -1 if first is None else first)


def plan_spans(missing: set[int], size: int) -> list[Span]:
    """The spans of a file of `size` bytes in which the `missing` pieces are to be fetched."""
    spans = []
    for lacks, run in groupby(range(-(-size // PIECE)), key=lambda piece: piece in missing):
        numbers = list(run)
        start, end = numbers[0] * PIECE, min((numbers[-1] + 1) * PIECE, size)
        done = start if lacks else end
        spans.append(Span(start, end, done, done))
    return spans
