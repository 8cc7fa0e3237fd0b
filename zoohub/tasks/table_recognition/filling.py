"""Tables with their texts, by a pipeline: one network reads the structure, those of `ocr` the text.

A piece of text belongs to the smallest cell in which its middle lies; what lies in none is left
out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from zoohub.inputs.picture import Picture
from zoohub.outputs.table_tokens import TableTokens
from zoohub.outputs.text_pieces import TextPiece, TextPieces
from zoohub.tasks.chained import Step
from zoohub.tasks.contract import Prepare, Row
from zoohub.tasks.ocr.chain import DETECTION, page_row, read_pages
from zoohub.tasks.ocr.lines import joined
from zoohub.tasks.ocr.upright import Upright, upright_page
from zoohub.tasks.results import Box
from zoohub.tasks.table_recognition.interpret import Cell, Table

STRUCTURE = "structure"


@dataclass(frozen=True, slots=True)
class Filled:
    """What a pipeline sees of pictures: tables' tokens, which `names` are the classes of, and
    pieces of text."""

    tables: TableTokens
    names: tuple[str, ...] | None
    pieces: TextPieces

    def __len__(self) -> int:
        return len(self.tables)


@dataclass(frozen=True, eq=False)
class TwoRows:
    """A picture's row of the network of tables, and that of the pages' pipeline."""

    table: Row
    page: Row


def filled_rows(steps: Mapping[str, Step], vocab: str | None) -> Prepare:
    """What makes a picture the row of a pipeline's steps."""
    table, page = (step.task.prepare(step.input) for step in (steps[STRUCTURE], steps[DETECTION]))

    def prepare(picture: Picture) -> tuple[Row, ...]:
        (row,) = table(picture)
        return (Row({}, TwoRows(row, page_row(page, picture, vocab))),)

    return prepare


def fill(steps: Mapping[str, Step], rows: Sequence[Row]) -> Filled:
    """What the steps of a pipeline give for rows."""
    both = [row.geometry for row in rows if isinstance(row.geometry, TwoRows)]
    tables = steps[STRUCTURE].infer([two.table for two in both])
    assert isinstance(tables, TableTokens)
    pieces = read_pages(steps, [two.page for two in both])
    return Filled(tables, steps[STRUCTURE].names, pieces)


def with_texts(table: Table, pieces: Sequence[TextPiece]) -> Table:
    """The table with a text in each cell, which may be empty: its lines from top to bottom, a space
    between."""
    within: list[list[TextPiece]] = [[] for _ in table.cells]
    for piece in pieces:
        place = _cell_of(piece, table.cells)
        if place is not None:
            within[place].append(piece)
    upright = upright_page(pieces)
    cells = tuple(
        replace(cell, text=_text(own, upright))
        for cell, own in zip(table.cells, within, strict=True)
    )
    return replace(table, cells=cells)


def _cell_of(piece: TextPiece, cells: Sequence[Cell]) -> int | None:
    x, y = np.mean(piece.polygon, 0)
    around = [
        place
        for place, cell in enumerate(cells)
        if cell.box[0] <= x <= cell.box[2] and cell.box[1] <= y <= cell.box[3]
    ]
    return min(around, key=lambda place: _area(cells[place].box), default=None)


def _text(pieces: Sequence[TextPiece], upright: Upright) -> str:
    lines = sorted(joined(pieces, upright), key=lambda line: (line.box[1], line.box[0]))
    return " ".join(line.text for line in lines)


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])
