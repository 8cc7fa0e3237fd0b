"""From tokens and boxes to tables, by MindOCR's rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from zoohub.core.counting import counted
from zoohub.errors import DataError
from zoohub.inputs.picture import Geometry
from zoohub.outputs import Form
from zoohub.outputs.form import Array, Size, check_finite
from zoohub.outputs.table_tokens import END, SPECIAL, TableTokens
from zoohub.tasks.contract import Row, check_count
from zoohub.tasks.options import option
from zoohub.tasks.results import Box, Json
from zoohub.tasks.table_recognition.structure import CELLS, as_html


@dataclass(frozen=True, slots=True)
class TableOptions:
    """Which tables are given: those that score at least `threshold` (0 to 1); None: all. `vocab` is
    a file of the characters that a pipeline's step which reads tells apart; None: those that the
    index names."""

    threshold: float | None = option(None, "least score shown", metavar="P")
    vocab: str | None = option(None, "characters, one a line", metavar="FILE")


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell that is not empty: its `box` is `(x1, y1, x2, y2)` in pixels of the upright picture;
    its `token`, at `place` among the table's, says how it begins; `text` is what it says, None
    where nobody read it."""

    box: Box
    token: str
    place: int
    text: str | None = None

    def to_json(self) -> dict[str, Json]:
        """Corners to a hundredth of a pixel; the text where it was read."""
        row: dict[str, Json] = {"box": [round(value, 2) for value in self.box], "token": self.token}
        return row if self.text is None else {**row, "text": self.text}


@dataclass(frozen=True, slots=True)
class Table:
    """A table: its structure as tokens of HTML, its cells in their order there, and its score, the
    tokens' mean probability (0..1). It is not `complete` where it has more tokens than the network
    reads."""

    tokens: tuple[str, ...]
    cells: tuple[Cell, ...]
    score: float
    complete: bool = True

    @property
    def html(self) -> str:
        """The structure, with the texts that were read."""
        return as_html(self.tokens, {cell.place: cell.text or "" for cell in self.cells})

    def to_json(self) -> dict[str, Json]:
        """The structure and the cells; the score to 6 digits."""
        cells: list[Json] = [cell.to_json() for cell in self.cells]
        return {
            "html": self.html,
            "score": round(self.score, 6),
            "cells": cells,
            "complete": self.complete,
        }

    def line(self) -> str:
        """Score, size and structure."""
        cut = "" if self.complete else f", cut off after {counted(len(self.tokens), 'token')}"
        count = f"{counted(len(self.cells), 'cell')} with content"
        return f"{self.score:6.1%}  table, {count}{cut}\n{self.html}"


def tables_in(
    form: Form, rows: Sequence[Row], names: tuple[str, ...] | None, options: TableOptions
) -> list[tuple[Table, ...]]:
    """The table of each picture; none where the network reads nothing.

    Raises:
        DataError: the form is another task's, or has numbers that are not finite; the tokens' names
            are not known, or others than the network has classes.
    """
    if not isinstance(form, TableTokens):
        raise DataError(f"expected a table's tokens from the network; got {type(form).__name__}")
    if names is None:
        raise DataError(
            "which tokens the network's classes are is not known: name them in the index (classes: "
            "table-html <UKN> <SOS> <EOS> <PAD>)"
        )
    check_count(form.probabilities.shape[2], names)
    check_finite(form.probabilities)
    check_finite(form.boxes)
    found: list[tuple[Table, ...]] = []
    for probabilities, boxes, row in zip(form.probabilities, form.boxes, rows, strict=True):
        assert isinstance(row.geometry, Geometry)
        table = _table(probabilities, boxes, names, row.geometry, form.size)
        shown = table is not None and table.score >= (options.threshold or 0.0)
        found.append((table,) if table is not None and shown else ())
    return found


def _table(
    probabilities: Array, boxes: Array, names: tuple[str, ...], geometry: Geometry, size: Size
) -> Table | None:
    """The tokens up to the end, but for those that are no HTML; an end before anything else is
    none."""
    best = probabilities.argmax(1)
    ends = np.flatnonzero(best[1:] == len(names) + END)
    steps = np.arange(ends[0] + 1 if len(ends) else len(best))
    kept = steps[best[steps] < len(names) - SPECIAL]
    if not len(kept):
        return None
    tokens = tuple(names[token] for token in best[kept])
    cells = tuple(
        Cell(_box(boxes[step], geometry, size), token, place)
        for place, (step, token) in enumerate(zip(kept, tokens, strict=True))
        if token in CELLS
    )
    score = float(probabilities[kept].max(1).mean())
    return Table(tokens, cells, score, complete=bool(len(ends)))


def _box(shares: Array, geometry: Geometry, size: Size) -> Box:
    """Shares of the input as the corners of a box in the picture, cut at its edges.

    The publisher's rule: by the ratio that the picture was to have in the input, not by the whole
    pixels that it has there, and half the width and height rounded down.
    """
    height, width = geometry.picture
    ratio = max(height / size[0], width / size[1])
    across, down = size[1] * ratio, size[0] * ratio
    x, y, w, h = (shares.astype(np.float64) * (across, down, across, down)).tolist()
    corners = (x - w // 2, y - h // 2, x + w // 2, y + h // 2)
    x1, y1, x2, y2 = np.clip(corners, 0, (width, height, width, height)).tolist()
    return x1, y1, x2, y2
