"""A file that was damaged in the store gives its good pieces to the download that repairs it."""

from __future__ import annotations

import shutil
from itertools import groupby

from zoohub.store import Store
from zoohub.store.hashing import PIECE, damaged_pieces, hash_file
from zoohub.store.partial import Partial, Span


def salvage(store: Store, sha256: str, partial: Partial) -> None:
    """Fill an empty `partial` with the good pieces of the damaged file, if there is one.

    The bytes are copied: readers may still have the damaged file mapped. Whether a piece is good
    its checksum only suggests; the full hash of the repaired file decides.
    """
    found = store.damaged(sha256)
    if found is None:
        return
    path, size, pieces = found
    bad = set(damaged_pieces(pieces, hash_file(path).pieces))
    if len(bad) == len(pieces) or len(pieces) != -(-size // PIECE):
        return
    with path.open("rb") as source:
        shutil.copyfileobj(source, partial.file, 1 << 20)
    partial.file.truncate(size)
    partial.spans = plan_spans(len(pieces), bad, size)


def plan_spans(pieces: int, bad: set[int], size: int) -> list[Span]:
    """The spans of a file of `size` bytes in which the `bad` pieces are missing."""
    spans = []
    for missing, run in groupby(range(pieces), key=lambda piece: piece in bad):
        numbers = list(run)
        start, end = numbers[0] * PIECE, min((numbers[-1] + 1) * PIECE, size)
        done = start if missing else end
        spans.append(Span(start, end, done, done))
    return spans
