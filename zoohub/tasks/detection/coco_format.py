"""COCO's format: a JSON file of images, annotations and categories."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from zoohub.core.text_reader import named_path
from zoohub.inputs.picture.files import find_unreadable
from zoohub.tasks.detection.coco_file import Categories, Coco, picture_folder
from zoohub.tasks.detection.coco_shapes import given_box
from zoohub.tasks.detection.labels import (
    BROKEN,
    RANGE,
    Complaints,
    check_boxes,
    picture_size,
)
from zoohub.tasks.detection.samples import Boxes, BoxSamples, Objects
from zoohub.tasks.samples import Samples

_NO_PICTURE = "annotations of unknown pictures were left out"


def read_coco_part(
    file: Path,
    content: Coco,
    categories: Categories,
    complaints: Complaints,
    skipped: dict[str, str],
) -> BoxSamples:
    """The pictures of a file, as `coco_file.load_parts` gives it, with their boxes.

    `complaints` is told what was wrong with boxes, `skipped` gets the pictures that could not be
    read.
    """
    pictures = {image["id"]: image for image in content["images"]}
    folder = picture_folder(file, content["images"])
    paths = {number: named_path(folder, image["file_name"]) for number, image in pictures.items()}
    bad = find_unreadable(list(paths.values()))
    skipped.update({str(path): reason for path, reason in bad.items()})

    rows: dict[Any, list[tuple[tuple[float, ...], str, bool]]] = defaultdict(list)
    for position, annotation in enumerate(content["annotations"]):
        where = f"{file}: annotation {str(annotation.get('id', position))[:40]}"
        place = categories.places.get(annotation.get("category_id"))
        if annotation.get("image_id") not in pictures:
            complaints.add(_NO_PICTURE, where)
        elif place is None:
            complaints.add(RANGE, where)
        elif (box := given_box(annotation)) is None:
            complaints.add(BROKEN, where)
        else:
            x, y, width, height = box
            row = (float(place), x, y, x + width, y + height)
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
            out.append(check_boxes(array, places, size, len(categories.names), complaints))
    objects = [Objects(*both) for both in zip(boxes, crowds, strict=True)]
    return Samples([paths[n] for n in good], objects, [str(paths[n]) for n in good])
