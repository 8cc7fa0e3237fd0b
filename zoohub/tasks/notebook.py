"""Predictions as a notebook shows them: the picture with what was found, and a table of it."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from zoohub.core.elements import cell, element, picture, table
from zoohub.errors import DataError

if TYPE_CHECKING:
    from PIL import Image


_SIDE = 320  # pixels of the longer side; what is shown small loses nothing that is looked for
_LEAST = 96  # a digit of 8 pixels is shown as large as that
_MOST_ROWS = 20
MOST_PREDICTIONS = 50
_SHARES = ("score", "share")  # 0..1, shown in percent


def prediction_html(
    input: str,
    rows: Sequence[Mapping[str, object]],
    error: str | None,
    illustrate: Callable[[], Image.Image | None] | None,
) -> str:
    """A picture and a table of the rows beside it; the error where there is one."""
    parts = [element("div", element("b", cell(input)))]
    if error is not None:
        parts.append(element("div", cell(error)))
        return element("div", *parts)
    columns = [_results(rows)]
    if illustrate is not None:
        try:
            image = illustrate()
        except DataError as gone:  # the file has gone since
            columns.append(element("div", cell(gone)))
        else:
            if image is not None:
                columns.insert(0, thumbnail(image, input))
    parts.append(element("div", *columns, style="display: flex; gap: 1em; align-items: start"))
    return element("div", *parts)


def predictions_html(shown: Sequence[str], there: int) -> str:
    """The predictions that are shown, as HTML, one below the other, and how many more there are."""
    parts = list(shown)
    more = there - len(parts)
    if more:
        parts.append(element("div", f"and {more} more"))
    return element("div", *parts)


def thumbnail(image: Image.Image, alternative: str) -> str:
    """A picture made small, as HTML."""
    small = image.convert("RGB")
    small.thumbnail((_SIDE, _SIDE))
    lossless = max(small.size) <= _LEAST
    file = io.BytesIO()
    small.save(file, "PNG" if lossless else "JPEG")
    width = max(small.width, _LEAST * small.width // max(small.size))
    return picture(file.getvalue(), "png" if lossless else "jpeg", alternative, width)


def _results(rows: Sequence[Mapping[str, object]]) -> str:
    """A column for what the rows say in short, a row for each of the first."""
    if not rows:
        return element("div", "nothing found")
    header = [key for key in rows[0] if any(_text(key, row.get(key)) for row in rows)]
    shown = [[_text(key, row.get(key)) for key in header] for row in rows[:_MOST_ROWS]]
    more = len(rows) - len(shown)
    return table(header, shown) + (element("div", f"and {more} more") if more else "")


def _text(key: str, value: object) -> str:
    """A value in short; empty where it cannot be: no one reads the numbers of a mask."""
    if isinstance(value, float) and key in _SHARES:
        return f"{value:.1%}"
    if isinstance(value, list):
        if len(value) > 4 or not all(isinstance(number, int | float) for number in value):
            return ""
        return ", ".join(f"{number:.0f}" for number in value)
    return str(value) if isinstance(value, str | int | float) else ""
