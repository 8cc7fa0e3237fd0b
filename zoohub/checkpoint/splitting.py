"""Tensors that lie otherwise in a file than in a network: in one piece where it has several (fused
projections, say), or matrices the other way round."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import TypeAlias

from zoohub.checkpoint.layout import Layout
from zoohub.checkpoint.weights import Located, TensorInfo, Weights

Rule: TypeAlias = tuple[re.Pattern[str], tuple[str, ...]]


def split(weights: Weights, layouts: Iterable[Layout]) -> Weights:
    """The weights with those tensors that a layout's `splits` name in their pieces, and those that
    are `transposed` the other way round.

    A piece is a part of the file as the whole was: nothing is read, and nothing is copied later.
    What cannot be cut or turned so (a first axis of another length, data that is not row-major or
    itself in pieces) stays as it is, and is then reported as unexpected or misshapen.
    """
    layouts = tuple(layouts)
    turned = [re.compile(pattern) for layout in layouts for pattern in layout.transposed]
    rules = [(re.compile(old), new) for layout in layouts for old, new in layout.splits]
    if not rules and not turned:
        return weights
    found: dict[str, Located] = {}
    for name, located in weights.tensors().items():
        if any(pattern.fullmatch(name) for pattern in turned):
            located = _turned(located)
        found.update(_cut(name, located, rules) or {name: located})
    return weights.with_tensors(found) if found != weights.tensors() else weights


def _cut(name: str, located: Located, rules: list[Rule]) -> dict[str, Located]:
    for pattern, replacements in rules:
        match = pattern.fullmatch(name)
        pieces = _pieces(located, len(replacements)) if match else []
        if match and pieces:
            return dict(zip(map(match.expand, replacements), pieces, strict=True))
    return {}


def _turned(located: Located) -> Located:
    """A matrix, its rows as columns."""
    shape = located.info.shape
    if len(shape) != 2 or located.strides is not None or len(located.spans) != 1:
        return located
    return replace(located, info=TensorInfo(shape[::-1], located.info.dtype), strides=(1, shape[1]))


def _pieces(located: Located, count: int) -> list[Located]:
    """Equal pieces along the first axis; empty where there are none."""
    shape = located.info.shape
    whole = located.strides is None and len(located.spans) == 1
    if not whole or not shape or shape[0] % count:
        return []
    offset, length = located.spans[0]
    size = length // count
    info = TensorInfo((shape[0] // count, *shape[1:]), located.info.dtype)
    return [
        replace(located, info=info, spans=((offset + place * size, size),))
        for place in range(count)
    ]
