"""What the outputs of a network are called."""

from __future__ import annotations

from collections.abc import Sequence


def output_names(count: int, known: Sequence[str] | None = None) -> tuple[str, ...]:
    """Names for `count` outputs: those known, where they fit.

    A last known name with `*` stands for the rest, one or more, numbered from 0. Without names
    that fit they are `output`, or `output_0`, `output_1`, ….
    """
    if known and known[-1].endswith("*"):
        rest = count - len(known) + 1
        if rest > 0:
            stem = known[-1].removesuffix("*")
            return (*known[:-1], *(f"{stem}{index}" for index in range(rest)))
    elif known and len(known) == count:
        return tuple(known)
    return ("output",) if count == 1 else tuple(f"output_{index}" for index in range(count))
