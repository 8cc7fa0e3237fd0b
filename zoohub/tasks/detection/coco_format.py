"""COCO's format: a JSON file of images, annotations and categories."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from zoohub.core.text_reader import named_path
from zoohub.inputs.picture.files import find_unreadable
from zoohub.tasks.detection.coco_file import Categories, Coco, picture_folder
from zoohub.tasks.detection.coco_shapes import given_box, given_shape
from zoohub.tasks.detection.labels import (
    Complaints,
    Reason,
    picture_size,
    usable_boxes,
)
from zoohub.tasks.detection.samples import Boxes, BoxSamples, Objects, Shape
from zoohub.tasks.samples import Samples


@dataclass(frozen=True, slots=True)
class _Written:
    """An object as it is written in the file: class and box, where that is, whether it is a crowd,
    and all that is said of it."""

    box: tuple[float, ...]
    where: str
    crowd: bool
    annotation: Mapping[str, object]


_NO_PICTURE = Reason(
    "annotation of an unknown picture was left out", "annotations of unknown pictures were left out"
)
_NO_CATEGORY = Reason(
    "annotation of an unknown category was left out",
    "annotations of unknown categories were left out",
)
_NO_BOX = Reason(
    "annotation without a box that makes sense was left out",
    "annotations without a box that makes sense were left out",
)
_RESIZED = Reason(
    "picture has another size than its annotations say, so that boxes may lie wrong",
    "pictures have another size than their annotations say, so that boxes may lie wrong",
)


def read_coco_part(
    file: Path,
    content: Coco,
    categories: Categories,
    complaints: Complaints,
    skipped: dict[str, str],
) -> BoxSamples:
    """The pictures of a file, as `coco_file.load_parts` gives it, with their boxes, and the shapes
    where these are known of all in a picture.

    `complaints` is told what was wrong with boxes, `skipped` gets the pictures that could not be
    read.
    """
    pictures = {image["id"]: image for image in content["images"]}
    folder = picture_folder(file, content["images"])
    paths = {number: named_path(folder, image["file_name"]) for number, image in pictures.items()}
    bad = find_unreadable(list(paths.values()))
    skipped.update({str(path): reason for path, reason in bad.items()})

    rows: dict[Any, list[_Written]] = defaultdict(list)
    for position, annotation in enumerate(content["annotations"]):
        where = f"{file}: annotation {str(annotation.get('id', position))[:40]}"
        place = categories.places.get(annotation.get("category_id"))
        if annotation.get("image_id") not in pictures:
            complaints.add(_NO_PICTURE, where)
        elif place is None:
            complaints.add(_NO_CATEGORY, where)
        elif (box := given_box(annotation)) is None:
            complaints.add(_NO_BOX, where)
        else:
            x, y, width, height = box
            row = (float(place), x, y, x + width, y + height)
            crowd = bool(annotation.get("iscrowd", 0))
            rows[annotation["image_id"]].append(_Written(row, where, crowd, annotation))

    good = [number for number, path in paths.items() if path not in bad]
    objects: list[Objects] = []
    for number in good:
        size = picture_size(paths[number])
        if rows[number] and _stated(pictures[number]) not in (None, size):
            complaints.add(_RESIZED, str(paths[number]))
        objects.append(_objects(rows[number], size, len(categories.names), complaints))
    return Samples([paths[n] for n in good], objects, [str(paths[n]) for n in good])


def _stated(image: Mapping[str, object]) -> tuple[object, object] | None:
    """The (height, width) that a file says a picture has; None where it does not say both."""
    height, width = image.get("height"), image.get("width")
    return (height, width) if height and width else None


def _objects(
    rows: Sequence[_Written], size: tuple[int, int], classes: int, complaints: Complaints
) -> Objects:
    """What is in one picture of (height, width) `size`."""
    boxes: list[Boxes] = []
    known: list[Shape | None] = []
    for crowd in (False, True):
        chosen = [row for row in rows if row.crowd is crowd]
        array = np.array([row.box for row in chosen], np.float64).reshape(-1, 5)
        places = [row.where for row in chosen]
        found, numbers = usable_boxes(array, places, size, classes, complaints)
        boxes.append(found)
        known += [given_shape(chosen[number].annotation, size) for number in numbers]
    whole = tuple(shape for shape in known if shape is not None)
    return Objects(boxes[0], boxes[1], whole if len(whole) == len(known) else ())
