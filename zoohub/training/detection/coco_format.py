"""COCO's format: a JSON file of images, annotations and categories."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from zoohub.errors import DataError
from zoohub.training.data.files import find_unreadable
from zoohub.training.detection.labels import (
    BROKEN,
    RANGE,
    Complaints,
    check_boxes,
    picture_size,
)
from zoohub.training.detection.samples import Boxes, BoxSamples

_NO_PICTURE = "annotations of unknown pictures were left out"


def read_coco_part(
    file: Path,
    complaints: Complaints,
    skipped: dict[str, str],
    images: Path | None = None,
) -> tuple[tuple[str, ...], BoxSamples]:
    """Class names (in the order of their category ids), and the pictures with their boxes.

    Args:
        file: the annotation file.
        complaints: is told what was wrong with boxes.
        skipped: gets the pictures that could not be read.
        images: the pictures' folder; None looks for it beside the file.

    Raises:
        DataError: the file is not in COCO's format, or two categories have one name.
    """
    content = _load(file)
    categories = sorted((int(c["id"]), str(c["name"])) for c in content["categories"])
    classes = tuple(name for _, name in categories)
    if len(set(classes)) != len(classes) or len({i for i, _ in categories}) != len(categories):
        raise DataError(f"{file}: two categories have one name or one id")
    index = {number: place for place, (number, _) in enumerate(categories)}

    pictures = {image["id"]: image for image in content["images"]}
    folder = images or _picture_folder(file, content["images"])
    paths = {number: folder / str(image["file_name"]) for number, image in pictures.items()}
    bad = find_unreadable(list(paths.values()))
    skipped.update({str(path): reason for path, reason in bad.items()})

    rows: dict[Any, list[tuple[tuple[float, ...], str, bool]]] = defaultdict(list)
    for position, annotation in enumerate(content["annotations"]):
        where = f"{file}: annotation {annotation.get('id', position)}"
        box = annotation.get("bbox")
        if annotation.get("image_id") not in pictures:
            complaints.add(_NO_PICTURE, where)
        elif annotation.get("category_id") not in index:
            complaints.add(RANGE, where)
        elif not (isinstance(box, list) and len(box) == 4 and all(map(_is_number, box))):
            complaints.add(BROKEN, where)
        else:
            x, y, width, height = (float(value) for value in box)
            row = (float(index[annotation["category_id"]]), x, y, x + width, y + height)
            rows[annotation["image_id"]].append((row, where, bool(annotation.get("iscrowd", 0))))

    good = [number for number, path in paths.items() if path not in bad]
    boxes: list[Boxes] = []
    crowds: list[Boxes] = []
    for number in good:
        size = picture_size(paths[number])
        for wanted, out in ((False, boxes), (True, crowds)):
            chosen = [(row, where) for row, where, crowd in rows[number] if crowd is wanted]
            array = np.array([row for row, _ in chosen], np.float64).reshape(-1, 5)
            places = [where for _, where in chosen]
            out.append(check_boxes(array, places, size, len(classes), complaints))
    samples = BoxSamples([paths[n] for n in good], boxes, [str(paths[n]) for n in good], crowds)
    return classes, samples


def validation_file(train: Path) -> Path | None:
    """The file for validation beside one for training: `train` in its name become `val`.

    Or its folder's name, as Roboflow lays it out: `train/x.json` and `valid/x.json`.
    """
    for word in ("val", "valid", "validation"):
        other = train.with_name(train.name.replace("train", word))
        if other != train and other.is_file():
            return other
        if found := _in_folder_beside(train, word):
            return found
    return None


def testing_file(train: Path) -> Path | None:
    """The file for testing next to one for training: `test/x.json` for `train/x.json`."""
    return _in_folder_beside(train, "test")


def _in_folder_beside(train: Path, name: str) -> Path | None:
    folder = train.absolute().parent
    other = folder.parent / name / train.name
    return other if folder.name == "train" and other.is_file() else None


def _load(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{file}: cannot be read: {error}") from None
    for key in ("images", "annotations", "categories"):
        part = content.get(key) if isinstance(content, dict) else None
        if not isinstance(part, list) or not all(isinstance(item, dict) for item in part):
            raise DataError(f"{file}: not in COCO's format: there is no list `{key}` of objects")
    for key, needed in (("images", ("id", "file_name")), ("categories", ("id", "name"))):
        if any(name not in item for item in content[key] for name in needed):
            raise DataError(f"{file}: not in COCO's format: {key} need {' and '.join(needed)}")
    return dict(content)


def _picture_folder(file: Path, images: list[dict[str, Any]]) -> Path:
    """Where most pictures are: beside the file, or (annotations/ apart) as COCO lays it out."""
    stem = file.stem.removeprefix("instances_")
    choices = [
        folder / part
        for folder in (file.parent, file.parent.parent)
        for part in (".", "images", stem, f"images/{stem}")
    ]
    # Some may be missing; a hundred from all over the list tell the folder all the same.
    names = [str(image["file_name"]) for image in images[:: len(images) // 100 + 1]]
    # Of folders with equally many the first counts: the file's own where there is no picture.
    return max(choices, key=lambda folder: sum((folder / name).is_file() for name in names))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and np.isfinite(value)
