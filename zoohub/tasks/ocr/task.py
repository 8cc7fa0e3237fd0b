"""Pages, by a pipeline of networks: one finds the text, another reads it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from zoohub.errors import DataError
from zoohub.inputs.picture import Picture
from zoohub.outputs import Form
from zoohub.outputs.text_pieces import TextPiece, TextPieces
from zoohub.tasks.chained import ChainTask, Step
from zoohub.tasks.contract import Row
from zoohub.tasks.ocr import SERVES
from zoohub.tasks.ocr.chain import (
    DETECTION,
    DIRECTION,
    RECOGNITION,
    Page,
    page_row,
    read_pages,
)
from zoohub.tasks.ocr.hocr import Hocr
from zoohub.tasks.ocr.lines import joined
from zoohub.tasks.ocr.reading_order import reading_order
from zoohub.tasks.ocr.results import TextLine
from zoohub.tasks.ocr.upright import upright_page
from zoohub.tasks.options import option
from zoohub.tasks.results import Result

if TYPE_CHECKING:
    from PIL import Image


@dataclass(frozen=True)
class OcrOptions:
    """Which pieces of text are given: those that read with a score of at least `threshold`, 0 to
    1, before lines are made of them. `vocab` is a file of the characters that the step which reads
    tells apart; None: those that the index names."""

    threshold: float = option(0.5, "least score shown", metavar="P")
    vocab: str | None = option(None, "characters, one a line", metavar="FILE")


class OcrTask(ChainTask):
    """See `Task`."""

    serves = SERVES
    title = "read pages"
    sample = "page"
    options = OcrOptions
    drawings = "lines of text"
    optional = (DIRECTION,)
    documents = MappingProxyType({"hocr": Hocr()})
    steps = MappingProxyType(
        {
            DETECTION: "scene-text-detection",
            DIRECTION: "text-direction-classification",
            RECOGNITION: "scene-text-recognition",
        }
    )

    def prepare_chain(
        self, steps: Mapping[str, Step], options: object = None
    ) -> Callable[[Picture], tuple[Row, ...]]:
        """See `Task`."""
        first = steps[DETECTION]
        prepare = first.task.prepare(first.input)
        vocab = options.vocab if isinstance(options, OcrOptions) else None
        return lambda picture: (page_row(prepare, picture, vocab),)

    def extent(self, row: Row) -> tuple[int, int] | None:
        """See `Task`."""
        assert isinstance(row.geometry, Page)
        height, width = row.geometry.pixels.shape[:2]
        return width, height

    def chain(self, steps: Mapping[str, Step], rows: Sequence[Row]) -> Form:
        """See `read_pages`."""
        return read_pages(steps, rows)

    def interpret(
        self,
        form: Form,
        rows: Sequence[Row],
        names: tuple[str, ...] | None,
        options: OcrOptions,
    ) -> list[tuple[TextLine, ...]]:
        """The lines of each page, in reading order; there are no classes."""
        if not isinstance(form, TextPieces):
            raise DataError(f"expected pieces of text; got {type(form).__name__}")
        return [_lines(pieces, options) for pieces in form.pictures]

    def lines(self, results: Sequence[Result]) -> list[str]:
        """The text."""
        return [result.line() for result in results] or ["no text found"]

    def draw(self, input: Picture, results: Sequence[TextLine]) -> Image.Image:
        """Each line's outline, with its number in the reading order."""
        from zoohub.tasks.ocr.drawing import draw_lines

        return draw_lines(input, results)


def _lines(pieces: Sequence[TextPiece], options: OcrOptions) -> tuple[TextLine, ...]:
    kept = [piece for piece in pieces if piece.score >= options.threshold]
    upright = upright_page(kept)
    lines = joined(kept, upright)
    return tuple(
        TextLine(
            lines[place].text,
            lines[place].score,
            tuple((float(x), float(y)) for x, y in lines[place].polygon(upright)),
            lines[place].turned,
        )
        for place in reading_order([line.box for line in lines])
    )


TASK = OcrTask()
