"""YOLO's format: a data.yaml, pictures under images/, a .txt of labels for each under labels/."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zoohub.core.counting import counted, plural
from zoohub.core.text_reader import exists, is_file, named_path, read_text_file
from zoohub.core.yaml_reader import Document, plain_text, read_yaml
from zoohub.errors import DataError
from zoohub.inputs.picture.files import find_unreadable, other_files, picture_files
from zoohub.tasks.detection.coco_shapes import goes_far
from zoohub.tasks.detection.labels import BROKEN, NO_LABELS, Complaints, picture_size, usable_boxes
from zoohub.tasks.detection.samples import BoxSamples, Objects, Shape
from zoohub.tasks.samples import Samples

PARTS = ("train", "val", "test")
_LONGEST_PATH = 4096
_WHOLE = re.compile(r"[0-9]{1,6}")


@dataclass(frozen=True)
class DataYaml:
    """What a data.yaml says: the files or folders of each part, and the classes' names (None: the
    parts are COCO's files, which bring their own)."""

    file: Path
    parts: Mapping[str, tuple[str, ...]]
    names: tuple[str, ...] | None
    root: Path

    def path(self, text: str) -> Path:
        """What an entry of a part names; it need not exist.

        Roboflow writes `../train/images` of a folder beside the file; Ultralytics reads it so.
        """
        named = named_path(self.root, text)
        beside = named_path(self.root, text.replace("\\", "/").removeprefix("../"))
        return named if exists(named) or not exists(beside) else beside


def read_data_yaml(file: Path) -> DataYaml:
    """The data set's description; every word in it is text: `yes`, `1.10` and `01` are names.

    Raises:
        DataError: it cannot be read, or lacks `train` or `names`; names the line.
    """
    document = read_yaml(file, error=DataError, scalar=plain_text, chinese=True)
    content = document.value
    if not isinstance(content, dict) or not content.get("train"):
        raise DataError(f"{file}: no data set's description: there is no `train` in it")
    parts = {part: _entries(document, part) for part in PARTS}
    above = content.get("path") or "."
    if not isinstance(above, str):
        raise document.error(("path",), "`path` must be a folder's name")
    return DataYaml(file, parts, _names(document, parts), named_path(file.parent, above))


def _entries(document: Document, part: str) -> tuple[str, ...]:
    given = document.mapping().get(part)
    entries = given if isinstance(given, list) else [given] if given else []
    for entry in entries:
        if not isinstance(entry, str) or not entry:
            raise document.error((part,), f"`{part}` must name a folder or file, or list several")
        if len(entry) > _LONGEST_PATH:
            raise document.error(
                (part,), f"`{part}`: a path of {len(entry)} characters; shorten it"
            )
    return tuple(map(str, entries))


def _names(document: Document, parts: Mapping[str, tuple[str, ...]]) -> tuple[str, ...] | None:
    names = document.mapping().get("names")
    if names is None and parts["train"][0].lower().endswith(".json"):
        return None
    if isinstance(names, dict) and names and all(map(_WHOLE.fullmatch, names)):
        by_number = {int(key): name for key, name in names.items()}
        if sorted(by_number) != list(range(len(names))):
            raise document.error(("names",), "`names` must number the classes from 0 without a gap")
        names = [by_number[i] for i in range(len(names))]
    if not isinstance(names, list) or not names:
        raise document.error(("names",), "`names` must list the classes")
    for place, name in enumerate(names):
        if not isinstance(name, str) or not name.strip():
            raise document.error(("names", place), "a class's name in `names` is no text; quote it")
    count = document.mapping().get("nc")
    if count is not None and not (_is_whole(count) and int(str(count)) == len(names)):
        raise document.error(
            ("nc",),
            f"`nc` is {str(count)[:20]}, but "
            f"{plural(len(names), 'there is', 'there are')} {counted(len(names), 'name')}",
        )
    return tuple(map(str, names))


def _is_whole(text: object) -> bool:
    return isinstance(text, str) and _WHOLE.fullmatch(text) is not None


def part_pictures(data: DataYaml, part: str) -> list[Path]:
    """The picture files of a part: of folders, or of .txt files that list them.

    Raises:
        DataError: something that is named does not exist.
    """
    found: list[Path] = []
    for entry in data.parts[part]:
        path = data.path(entry)
        if exists(path) and path.is_dir():
            found += picture_files(path)
        elif path.suffix == ".txt" and is_file(path):
            lines = read_text_file(path).splitlines()
            found += [named_path(path.parent, line.strip()) for line in lines if line.strip()]
        else:
            raise DataError(f"{data.file}: `{part}`: there is no folder or list of pictures {path}")
    if data.parts[part] and not found:
        folder = data.path(data.parts[part][0])
        if folder.is_dir() and any(folder.iterdir()):  # a part may be empty, but not of others
            found_there = other_files(folder)
            raise DataError(f"{data.file}: `{part}`: no picture in {folder}: found {found_there}")
    return found


def label_file(picture: Path) -> Path:
    """Where a picture's labels are: under labels/ for images/ (the last such part), else beside."""
    parts = list(picture.parts)
    for i in range(len(parts) - 2, -1, -1):
        if parts[i] == "images":
            moved = Path(*parts[:i], "labels", *parts[i + 1 :]).with_suffix(".txt")
            beside = picture.with_suffix(".txt")
            return beside if is_file(beside) and not is_file(moved) else moved
    return picture.with_suffix(".txt")


def read_yolo_part(
    pictures: Sequence[Path],
    classes: int,
    complaints: Complaints,
    skipped: dict[str, str],
) -> BoxSamples:
    """Pictures with their boxes; a picture without a label file has none, and is counted. One whose
    label file is no text is left out. Fills in what is wrong.

    A label is `class x y width height` (centre, as parts of the picture) or `class` and a
    polygon, whose box is taken; where a picture has polygons alone, they are the objects' shapes.
    """
    bad = find_unreadable(pictures)
    skipped.update({str(path): reason for path, reason in bad.items()})
    good = [path for path in pictures if path not in bad]
    kept: list[Path] = []
    boxes = []
    for path in good:
        height, width = picture_size(path)
        file = label_file(path)
        if not is_file(file):
            complaints.add(NO_LABELS, f"{path.name}, looked for {file}")
        try:
            rows, places, polygons = _read_labels(file, complaints)
        except DataError as error:
            skipped[str(path)] = f"its labels: {error}"
            continue
        with np.errstate(
            over="ignore", invalid="ignore"
        ):  # what is no number then is complained of
            rows[:, 1:] *= (width, height, width, height)
        kept.append(path)
        found, numbers = usable_boxes(rows, places, (height, width), classes, complaints)
        shapes = [_in_pixels(polygons[number], width, height) for number in numbers]
        whole = tuple(shape for shape in shapes if shape is not None)
        boxes.append(Objects(found, shapes=whole if len(whole) == len(shapes) else ()))
    return Samples(kept, boxes, [str(path) for path in kept])


def _in_pixels(polygon: Sequence[float], width: int, height: int) -> Shape | None:
    """A polygon of parts of the picture as COCO's shape; None where there is none, or it makes no
    sense."""
    points = [value * (height if i % 2 else width) for i, value in enumerate(polygon)]
    return [points] if points and not goes_far(points) else None


def _read_labels(
    file: Path, complaints: Complaints
) -> tuple[NDArray[np.float64], list[str], list[Sequence[float]]]:
    """Rows of class, x1, y1, x2, y2 as parts of the picture, where each is written, and its polygon
    (empty where it is a box)."""
    rows: list[tuple[float, ...]] = []
    places: list[str] = []
    polygons: list[Sequence[float]] = []
    lines = read_text_file(file).splitlines() if is_file(file) else []
    for number, line in enumerate(lines, 1):
        where = f"{file}:{number}"
        try:
            label, *values = (float(word) for word in line.split())
        except ValueError:
            if line.strip():
                complaints.add(BROKEN, where)
            continue
        if len(values) == 4:
            x, y, width, height = values
            rows.append((label, x - width / 2, y - height / 2, x + width / 2, y + height / 2))
            polygons.append(())
        elif len(values) >= 6 and len(values) % 2 == 0:
            x_s, y_s = values[::2], values[1::2]
            rows.append((label, min(x_s), min(y_s), max(x_s), max(y_s)))
            polygons.append(values)
        else:
            complaints.add(BROKEN, where)
            continue
        places.append(where)
    return np.array(rows, np.float64).reshape(-1, 5), places, polygons
