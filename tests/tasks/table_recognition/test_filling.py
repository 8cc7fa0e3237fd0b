"""A pipeline puts the texts it reads into a table's cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from zoohub.errors import DataError
from zoohub.inputs.picture import Geometry
from zoohub.manifest.opening import open_index
from zoohub.models.class_names import class_names
from zoohub.outputs.table_tokens import TableTokens
from zoohub.outputs.text_pieces import TextPiece, TextPieces
from zoohub.settings import load_settings
from zoohub.tasks.chained import chain_task
from zoohub.tasks.contract import Row
from zoohub.tasks.finding import find_task
from zoohub.tasks.table_recognition import filling
from zoohub.tasks.table_recognition.filling import Filled, TwoRows, with_texts
from zoohub.tasks.table_recognition.interpret import Cell, Table, TableOptions

TASK = chain_task("table", find_task("table-recognition"))
NAMES = class_names("table-html <UKN> <SOS> <EOS> <PAD>")
TABLE = Table(
    ("<tr>", "<td></td>", "<td", ' colspan="2"', ">", "</td>", "<eb></eb>", "</tr>"),
    (Cell((0, 0, 100, 60), "<td></td>", 1), Cell((100, 0, 300, 60), "<td", 2)),
    0.9,
)


def piece(text: str, x: float, y: float, score: float = 0.9) -> TextPiece:
    """A piece 40 pixels wide and 10 high around a point."""
    corners = ((x - 20, y - 5), (x + 20, y - 5), (x + 20, y + 5), (x - 20, y + 5))
    return TextPiece(np.array(corners, np.float64), text, score)


def test_a_text_is_put_into_the_cell_in_which_its_middle_lies() -> None:
    pieces = [piece("right", 130, 10), piece("below", 50, 40), piece("a<b", 50, 10),
              piece("outside", 400, 10), piece("straddling", 90, 25)]  # fmt: skip
    table = with_texts(TABLE, pieces)
    assert [cell.text for cell in table.cells] == ["a<b straddling below", "right"]
    assert table.html == (
        "<html><body><table><tr><td>a&lt;b straddling below</td>"
        '<td colspan="2">right</td><td></td></tr></table></body></html>'
    )
    cells = table.to_json()["cells"]
    assert isinstance(cells, list)
    assert cells[1] == {"box": [100, 0, 300, 60], "token": "<td", "text": "right"}


def test_of_cells_that_lie_over_each_other_the_smallest_has_the_text() -> None:
    inner = Cell((40, 0, 60, 20), "<td></td>", 3)
    table = with_texts(replace(TABLE, cells=(*TABLE.cells, inner)), [piece("x", 50, 10)])
    assert [cell.text for cell in table.cells] == ["", "", "x"]


@dataclass
class Structure:
    """A step that sees one cell over the picture's left half."""

    names: tuple[str, ...] | None = NAMES

    def infer(self, rows: Sequence[Row]) -> TableTokens:
        probabilities = np.full((len(rows), 3, 43), 0.01, np.float32)
        for step, token in enumerate(("<tr>", "<td></td>", "<EOS>")):
            probabilities[:, step, NAMES.index(token)] = 0.5
        boxes = np.tile(np.array([0.25, 0.5, 0.5, 1.0], np.float32), (len(rows), 3, 1))
        return TableTokens(probabilities, boxes, (480, 480))


def test_a_pipeline_gives_tables_with_the_texts_that_are_sure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read = TextPieces(((piece("sure", 50, 50), piece("unsure", 50, 80, score=0.3)), ()))
    seen: list[Any] = []

    def read_pages(steps: object, rows: Sequence[Row]) -> TextPieces:
        seen.extend(row.geometry for row in rows)
        return read

    monkeypatch.setattr(filling, "read_pages", read_pages)
    geometry = Geometry((200, 200), (480, 480), 0, 0)
    rows = [Row({}, TwoRows(Row({}, geometry), Row({}, page))) for page in ("first", "second")]
    steps: Any = {"structure": Structure(), "detection": SimpleNamespace()}
    form = TASK.chain(steps, rows)
    assert isinstance(form, Filled)
    assert (len(form), seen) == (2, ["first", "second"])
    first, second = TASK.interpret(form, rows, None, TableOptions())
    assert [[cell.text for cell in tables[0].cells] for tables in (first, second)] == [
        ["sure"], [""]
    ]  # fmt: skip
    with pytest.raises(DataError, match="which tokens the network's classes are is not known"):
        TASK.interpret(replace(form, names=None), rows, None, TableOptions())


def test_the_indexs_pipelines_have_the_tasks_steps() -> None:
    index = open_index(load_settings())
    for name in ("table", "table_ch"):
        entry = index.resolve(name).entry
        TASK.check_steps(name, entry.steps)
        for step, reference in entry.steps.items():
            assert index.resolve(reference).entry.task == TASK.steps[step]
    with pytest.raises(DataError, match="has no step 'structure', which table-recognition needs"):
        TASK.check_steps("mine", ["detection", "recognition"])
