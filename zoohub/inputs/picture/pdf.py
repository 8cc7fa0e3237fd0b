"""The pages of PDF files as pictures, drawn one at a time by pypdfium2 where it is installed."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from zoohub.errors import DataError
from zoohub.inputs.picture.limits import check_pixels

if TYPE_CHECKING:
    import pypdfium2

DOTS_PER_INCH = 200
_POINTS_PER_INCH = 72
_MOST_PAGES = 10_000
_DRAWING = threading.Lock()  # PDFium draws one page at a time in a process


@dataclass(frozen=True)
class PdfPage:
    """A page, `number` from 1, not drawn yet."""

    path: Path
    number: int

    def pixels(self) -> NDArray[np.uint8]:
        """(H, W, 3), RGB, white where the page is empty, at `DOTS_PER_INCH`.

        Raises:
            DataError: the page is damaged, or has more pixels than `ZOOHUB_MAX_PIXELS`.
        """
        name = f"{self.path}#{self.number}"
        with _DRAWING, _opened(self.path) as document:
            try:
                page = document[self.number - 1]
                scale = DOTS_PER_INCH / _POINTS_PER_INCH
                width, height = (round(side * scale) for side in page.get_size())
                check_pixels(width, height, name)
                drawn: NDArray[np.uint8] = page.render(scale=scale, rev_byteorder=True).to_numpy()
            except DataError:
                raise
            except Exception as error:  # whatever is wrong with its content
                raise DataError(f"{name} cannot be drawn: {error}") from None
        return np.ascontiguousarray(drawn[:, :, :3])


def is_pdf(path: Path) -> bool:
    """Whether a file's name says that it is a PDF."""
    return path.suffix.lower() == ".pdf"


def pdf_pages(path: Path) -> tuple[PdfPage, ...]:
    """The pages of a PDF file, in order.

    Raises:
        DataError: pypdfium2 is not installed, there is no such file, or it is damaged, protected by
            a password, or has no page or more than 10,000.
    """
    with _DRAWING, _opened(path) as document:
        count = len(document)
    if not 0 < count <= _MOST_PAGES:
        raise DataError(f"{path} has {count} pages; from 1 to {_MOST_PAGES} can be read")
    return tuple(PdfPage(path, number) for number in range(1, count + 1))


def _opened(path: Path) -> pypdfium2.PdfDocument:
    if not path.is_file():
        raise DataError(f"{path}: there is no such file")
    try:
        import pypdfium2
    except ImportError:
        raise DataError(
            f"{path}: the pages of a PDF need pypdfium2: pip install pypdfium2"
        ) from None
    try:
        return pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as error:
        why = "it has no page, or is damaged" if "Success" in str(error) else str(error)
        raise DataError(f"{path} cannot be read as a PDF: {why}") from None
