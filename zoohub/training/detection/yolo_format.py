"""YOLO's format: a data.yaml, pictures under images/, a .txt of labels for each under labels/."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from zoohub.errors import DataError
from zoohub.training.data.files import find_unreadable, picture_files
from zoohub.training.detection.labels import BROKEN, Complaints, check_boxes, picture_size
from zoohub.training.detection.samples import BoxSamples


def read_data_yaml(file: Path) -> dict[str, Any]:
    """The mapping in a data.yaml, with `names` as a tuple of class names.

    Raises:
        DataError: it cannot be read, or lacks `train` or `names`.
    """
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise DataError(f"{file}: cannot be read: {error}") from None
    if not isinstance(content, dict) or "train" not in content:
        raise DataError(f"{file}: no data set's description: there is no `train` in it")
    return {**content, "names": _names(file, content)}


def _names(file: Path, content: Mapping[str, Any]) -> tuple[str, ...] | None:
    names = content.get("names")
    if names is None and str(content["train"]).endswith(".json"):
        return None  # COCO's files bring their own
    if isinstance(names, dict) and all(isinstance(key, int) for key in names):
        if sorted(names) != list(range(len(names))):
            raise DataError(f"{file}: `names` must number the classes from 0 without a gap")
        names = [names[i] for i in range(len(names))]
    if not isinstance(names, list) or not names:
        raise DataError(f"{file}: `names` must list the classes")
    count = content.get("nc", len(names))
    if count != len(names):
        raise DataError(f"{file}: `nc` is {count}, but there are {len(names)} names")
    return tuple(str(name) for name in names)


def part_pictures(file: Path, content: Mapping[str, Any], part: str) -> list[Path]:
    """The picture files of a part: of folders, or of .txt files that list them.

    Raises:
        DataError: something that is named does not exist.
    """
    given = content.get(part)
    entries = given if isinstance(given, list) else [given] if given else []
    root = file.parent / Path(str(content.get("path") or ".")).expanduser()
    found: list[Path] = []
    for entry in entries:
        named = root / Path(str(entry)).expanduser()
        # Roboflow writes `../train/images` of a folder beside the file; Ultralytics reads it so.
        beside = root / str(entry).removeprefix("../")
        path = named if named.exists() or not beside.exists() else beside
        if path.is_dir():
            found += picture_files(path)
        elif path.suffix == ".txt" and path.is_file():
            lines = path.read_text(encoding="utf-8").splitlines()
            found += [path.parent / line.strip() for line in lines if line.strip()]
        else:
            raise DataError(f"{file}: `{part}`: there is no folder or list of pictures {path}")
    return found


def label_file(picture: Path) -> Path:
    """Where a picture's labels are: under labels/ for images/ (the last such part), else beside."""
    parts = list(picture.parts)
    for i in range(len(parts) - 2, -1, -1):
        if parts[i] == "images":
            moved = Path(*parts[:i], "labels", *parts[i + 1 :]).with_suffix(".txt")
            beside = picture.with_suffix(".txt")
            return beside if beside.exists() and not moved.exists() else moved
    return picture.with_suffix(".txt")


def read_yolo_part(
    pictures: Sequence[Path],
    classes: int,
    complaints: Complaints,
    skipped: dict[str, str],
) -> BoxSamples:
    """Pictures with their boxes; a picture without a label file has none. Fills in what is wrong.

    A label is `class x y width height` (centre, as parts of the picture) or `class` and a
    polygon, whose box is taken.
    """
    bad = find_unreadable(pictures)
    skipped.update({str(path): reason for path, reason in bad.items()})
    good = [path for path in pictures if path not in bad]
    boxes = []
    for path in good:
        height, width = picture_size(path)
        rows, places = _read_labels(label_file(path), complaints)
        rows[:, 1:] *= (width, height, width, height)
        boxes.append(check_boxes(rows, places, (height, width), classes, complaints))
    return BoxSamples(good, boxes, [str(path) for path in good])


def _read_labels(file: Path, complaints: Complaints) -> tuple[NDArray[np.float64], list[str]]:
    """Rows of class, x1, y1, x2, y2 as parts of the picture, and where each is written."""
    rows: list[tuple[float, ...]] = []
    places: list[str] = []
    try:
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{file}: the labels cannot be read: {error}") from None
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
        elif len(values) >= 6 and len(values) % 2 == 0:
            x_s, y_s = values[::2], values[1::2]
            rows.append((label, min(x_s), min(y_s), max(x_s), max(y_s)))
        else:
            complaints.add(BROKEN, where)
            continue
        places.append(where)
    return np.array(rows, np.float64).reshape(-1, 5), places
