"""Pictures of tables as HTML, with where the cells are; by a pipeline with their texts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from zoohub.errors import UsageError
from zoohub.inputs.picture import Picture
from zoohub.manifest.entry import InputContract
from zoohub.outputs import Form
from zoohub.running import Array, Runner
from zoohub.tasks.chained import ChainTask, Step
from zoohub.tasks.contract import Arrays, Prepare, Row
from zoohub.tasks.ocr.chain import DETECTION, DIRECTION, RECOGNITION
from zoohub.tasks.ocr.task import OcrOptions
from zoohub.tasks.pictures import picture_rows
from zoohub.tasks.table_recognition import SERVES
from zoohub.tasks.table_recognition.filling import (
    STRUCTURE,
    Filled,
    TwoRows,
    fill,
    filled_rows,
    with_texts,
)
from zoohub.tasks.table_recognition.interpret import Table, TableOptions, tables_in
from zoohub.tasks.table_recognition.reading import NEXT, SEE, read_tables

if TYPE_CHECKING:
    from PIL import Image


class TableRecognitionTask(ChainTask):
    """See `Task`. One network reads the structure, a pipeline the texts too. Of the classes the
    last are the unknown token, the start, the end and padding."""

    serves = SERVES
    title = "read tables"
    options = TableOptions
    drawings = "boxes of cells"
    builds_on = ("ocr",)
    optional = (DIRECTION,)
    steps = MappingProxyType(
        {
            STRUCTURE: SERVES[0],
            DETECTION: "scene-text-detection",
            DIRECTION: "text-direction-classification",
            RECOGNITION: "scene-text-recognition",
        }
    )

    def prepare(
        self, contract: InputContract, options: object = None
    ) -> Callable[[Picture], tuple[Row, ...]]:
        """See `Task`. Raises UsageError: characters are named, of which it reads none."""
        if isinstance(options, TableOptions) and options.vocab is not None:
            raise UsageError(
                "--vocab (vocab=) is for the step of a pipeline that reads text (zoohub predict "
                "table): this network reads a table's structure"
            )
        return picture_rows(contract)

    def prepare_chain(self, steps: Mapping[str, Step], options: object = None) -> Prepare:
        """See `ChainTask`."""
        return filled_rows(steps, options.vocab if isinstance(options, TableOptions) else None)

    def infer(
        self,
        runners: Mapping[str, Runner],
        batch: Arrays,
        contract: InputContract,
        rows: Sequence[Row] = (),
    ) -> dict[str, Array]:
        """`tokens` and `boxes`; a network in one piece reads on behind the end."""
        if NEXT not in runners:
            return super().infer(runners, batch, contract, rows)
        return read_tables(runners[SEE], runners[NEXT], batch["image"])

    def chain(self, steps: Mapping[str, Step], rows: Sequence[Row]) -> Form:
        """See `fill`."""
        return fill(steps, rows)

    def interpret(
        self,
        form: Form,
        rows: Sequence[Row],
        names: tuple[str, ...] | None,
        options: TableOptions,
    ) -> list[tuple[Table, ...]]:
        """See `Task`; of texts those count that a page would have."""
        if not isinstance(form, Filled):
            return tables_in(form, rows, names, options)
        own = [row.geometry.table for row in rows if isinstance(row.geometry, TwoRows)]
        found = tables_in(form.tables, own, form.names, options)
        least = OcrOptions().threshold
        return [
            tuple(
                with_texts(table, [piece for piece in pieces if piece.score >= least])
                for table in tables
            )
            for tables, pieces in zip(found, form.pieces.pictures, strict=True)
        ]

    def draw(self, input: Picture, results: Sequence[Table]) -> Image.Image:
        """The cells' boxes."""
        from zoohub.tasks.table_recognition.drawing import draw_cells

        return draw_cells(input, results)


TASK = TableRecognitionTask()
