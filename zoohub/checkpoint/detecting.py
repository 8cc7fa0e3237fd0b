"""Which naming scheme a file follows, by its names alone."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from zoohub.checkpoint.layout import Layout
from zoohub.checkpoint.matching import match
from zoohub.checkpoint.naming import Renamer
from zoohub.checkpoint.weights import TensorInfo


def detect_layout(
    names: Iterable[str],
    layouts: Mapping[str, Layout],
    network: Collection[str] = (),
    *,
    family: str = "the network",
) -> str:
    """The name of the layout that fits a file's names.

    With `network`, the network's own names, see `match`. Without, the one whose rules
    match most of the names; none matching means the network's own names, `""`. `family` is named
    in errors.

    Raises:
        CheckpointMismatch: with `network`, when no layout gives a single name of it.
    """
    names = list(names)
    if network:
        table = dict.fromkeys(names, TensorInfo((2,), "float32"))
        return match(table, network, {"": Layout(), **layouts}, family=family).layout
    best, score = "", 0
    for name, layout in layouts.items():
        to_own = Renamer(layout)
        fitting = sum(map(to_own.matches, names))
        if fitting > score:
            best, score = name, fitting
    return best
