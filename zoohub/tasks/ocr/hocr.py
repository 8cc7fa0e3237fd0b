"""Read pages as hOCR, which programs put behind a scan to make a searchable PDF of it.

The format: T. Breuel, "The hOCR Embedded OCR Workflow and Output Format", 1.2. Each line is an
`ocr_line`; its words are `ocrx_word`s, whose boxes are cut from the line's by how many characters
they have: where the words of a line are, its detector does not say.
"""

from __future__ import annotations

import re
from html import escape

from zoohub._version import __version__
from zoohub.inputs.picture.pdf import DOTS_PER_INCH
from zoohub.tasks.contract import Document
from zoohub.tasks.ocr.results import TextLine
from zoohub.tasks.results import AnyPrediction

_UNSAID = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_PDF_PAGE = re.compile(r"\.pdf#\d+$", re.IGNORECASE)
Bounds = tuple[float, float, float, float]


class Hocr(Document):
    """See `Document`; an input is a page."""

    says = "write the read pages as hOCR, which PDF tools take"

    def begin(self) -> str:
        """The head of an XHTML file."""
        return (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            '<html xmlns="http://www.w3.org/1999/xhtml">\n<head>\n<title></title>\n'
            '<meta http-equiv="Content-Type" content="text/html;charset=utf-8"/>\n'
            f'<meta name="ocr-system" content="zoohub {__version__}"/>\n'
            '<meta name="ocr-capabilities" content="ocr_page ocr_line ocrx_word"/>\n'
            "</head>\n<body>\n"
        )

    def add(self, number: int, prediction: AnyPrediction) -> str:
        """A page. One that cannot be read has no lines."""
        title = f"image {_quoted(prediction.input)}; ppageno {number - 1}"
        if prediction.size is not None:
            title += f"; bbox {_box((0, 0, *prediction.size))}"
        if _PDF_PAGE.search(prediction.input):
            title += f"; scan_res {DOTS_PER_INCH} {DOTS_PER_INCH}"
        lines = "".join(
            _line(f"{number}_{place}", line) for place, line in enumerate(prediction.predictions, 1)
        )
        head = f"<div class='ocr_page' id='page_{number}' title='{escape(title)}'>\n"
        return f"{head}{lines}</div>\n"

    def end(self) -> str:
        """The end of the file."""
        return "</body>\n</html>\n"


def _line(name: str, line: TextLine) -> str:
    bounds = _bounds(line)
    letters = max(1, len(line.text))
    words, start = [], 0
    for place, word in enumerate(line.text.split(" "), 1):
        end = start + len(word)
        box = _part(bounds, start / letters, end / letters, line.turned)
        title = f"bbox {_box(box)}; x_wconf {round(100 * line.score)}"
        if word:
            words.append(
                f"<span class='ocrx_word' id='word_{name}_{place}' title='{title}'>"
                f"{_escaped(word)}</span>"
            )
        start = end + 1
    title = f"bbox {_box(bounds)}"
    if line.turned:
        title += f"; textangle {360 - 90 * line.turned}"
    return f"<span class='ocr_line' id='line_{name}' title='{title}'>{' '.join(words)}</span>\n"


def _part(bounds: Bounds, start: float, end: float, turned: int) -> Bounds:
    """What lies between two shares of a line's length, counted as its letters run."""
    left, top, right, bottom = bounds
    if turned >= 2:  # from the other end
        start, end = 1 - end, 1 - start
    if turned % 2:
        high = bottom - top
        return (left, top + start * high, right, top + end * high)
    wide = right - left
    return (left + start * wide, top, left + end * wide, bottom)


def _bounds(line: TextLine) -> Bounds:
    x, y = zip(*line.polygon, strict=True)
    return (min(x), min(y), max(x), max(y))


def _box(bounds: Bounds) -> str:
    return " ".join(str(max(0, round(value))) for value in bounds)


def _quoted(name: str) -> str:
    """A file's name between quotes, which have no escape in hOCR."""
    return '"' + _readable(name).replace('"', "") + '"'


def _escaped(text: str) -> str:
    return escape(_readable(text))


def _readable(text: str) -> str:
    """The text without what XML 1.0 cannot say: control characters, halves of characters."""
    return _UNSAID.sub("\ufffd", text)
