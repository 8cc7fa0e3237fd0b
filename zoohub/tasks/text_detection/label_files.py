"""Files of labels: ICDAR 2015's, one a picture, and MindOCR's, one for many."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from zoohub.core.json_reader import parse_json
from zoohub.core.text_reader import lines_of, read_text_file
from zoohub.errors import DataError
from zoohub.tasks.text_detection.samples import Texts, texts_of

UNREADABLE = ("###", "*")  # what stands for a text that nobody can read
_CORNERS = 4
_LONG = "####"  # before the text of CTW1500's lines, whose outlines have any number of corners


def read_label_file(path: Path) -> Texts:
    """The texts of one picture: a line each, `x1,y1,x2,y2,x3,y3,x4,y4,text`, where the text may
    have commas; or `x1,y1,x2,y2,text` of an upright box; or `x1,y1,…,xn,yn,####text`.

    Raises:
        DataError: it cannot be read, or a line is no such thing; names the line.
    """
    polygons, ignored = [], []
    for number, line in enumerate(lines_of(read_text_file(path)), start=1):
        if not line.strip():
            continue
        values, text = _parts(line)
        if len(values) < 2 * _CORNERS - 4:
            raise DataError(
                f"{path}, line {number}: expected x1,y1,x2,y2,x3,y3,x4,y4,text, found {line!r:.60}"
            )
        if len(values) == 4:
            left, top, right, bottom = values
            values = [left, top, right, top, right, bottom, left, bottom]
        polygons.append(values)
        ignored.append(text in UNREADABLE)
    return texts_of(polygons, ignored)


def _parts(line: str) -> tuple[list[float], str]:
    """A line's coordinates and its text."""
    fields = line.split(",")
    values = _numbers(fields)
    after = ",".join(fields[len(values) :]).strip()
    if after.startswith(_LONG):
        whole = len(values) % 2 == 0 and len(values) >= 6
        return (values if whole else []), after.removeprefix(_LONG).strip()
    values = values[: 2 * _CORNERS]
    count = 8 if len(values) == 8 else 4 if len(values) >= 4 else 0
    return values[:count], ",".join(fields[count:]).strip().strip('"')


def _numbers(fields: list[str]) -> list[float]:
    """The numbers that fields begin with."""
    values: list[float] = []
    for field in fields:
        try:
            value = float(field)
        except ValueError:
            break
        if not abs(value) < 1e6:
            break
        values.append(value)
    return values


def is_table(path: Path) -> bool:
    """Whether a file's first line is one of `read_label_table`."""
    try:
        with path.open("rb") as file:
            first = file.readline(1 << 16).lstrip(b"\xef\xbb\xbf")
    except OSError:
        return False
    name, tab, labels = first.partition(b"\t")
    return bool(name and tab) and labels.lstrip().startswith(b"[")


def read_label_table(path: Path) -> dict[str, Texts | str]:
    """The texts of many pictures, or what is wrong with a line, by the picture's name: a line each,
    `path<tab>[{"transcription": text, "points": [[x, y], …]}, …]`.

    Raises:
        DataError: the file cannot be read, or a line has no picture; names the line.
    """
    found: dict[str, Texts | str] = {}
    for number, line in enumerate(lines_of(read_text_file(path)), start=1):
        if not line.strip():
            continue
        name, tab, labels = line.partition("\t")
        if not tab or not name.strip():
            raise DataError(
                f'{path}, line {number}: expected path<tab>[{{"transcription": …, "points": …}}], '
                f"found {line!r:.60}"
            )
        where = f"{path}, line {number}"
        try:
            found[name.strip()] = _from_json(labels, where)
        except (DataError, KeyError, TypeError, ValueError, OverflowError) as error:
            found[name.strip()] = f"{where}: {error}"
    return found


def _from_json(text: str, where: str) -> Texts:
    rows: Any = parse_json(text, where, error=DataError)
    if not isinstance(rows, list):
        raise DataError("expected a list of texts")
    polygons, ignored = [], []
    for row in rows:
        if not isinstance(row, dict) or not isinstance(row.get("points"), list):
            raise DataError('expected {"transcription": …, "points": [[x, y], …]}')
        points = [(float(x), float(y)) for x, y in row["points"]]
        if len(points) < _CORNERS - 1 or not all(abs(v) < 1e6 for point in points for v in point):
            raise DataError(f"expected the points of an outline, found {row['points']!r:.60}")
        polygons.append(points)
        ignored.append(str(row.get("transcription")) in UNREADABLE)
    return texts_of(polygons, ignored)
