"""Naming schemes of checkpoint files, as rename rules."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Layout:
    r"""Rules from a file's parameter names to the network's.

    `rules` are (regular expression, replacement) pairs, tried in order on the whole name; the
    first that matches is applied, once (`\1` is the first group). A name no rule matches stays.
    `drop` are regular expressions of names in the file the network has no use for (training-only
    branches, say). `splits` are (regular expression, replacements) pairs of tensors that the file
    has in one piece and the network in several, equal and one after the other along the first
    axis: the names of the pieces, which `rules` then rename (see `splitting.split`). `transposed`
    are regular expressions of matrices whose rows are the network's columns.
    """

    rules: tuple[tuple[str, str], ...] = ()
    drop: tuple[str, ...] = ()
    splits: tuple[tuple[str, tuple[str, ...]], ...] = ()
    transposed: tuple[str, ...] = ()


def has_prefix(name: str, prefixes: Iterable[str]) -> bool:
    """Whether a dotted name is, or lies under, one of the prefixes; `""` covers every name.

    >>> has_prefix("fc.weight", ["fc"]), has_prefix("fc1.weight", ["fc"])
    (True, False)
    """
    return any(not p or name == p or name.startswith(p.rstrip(".") + ".") for p in prefixes)
