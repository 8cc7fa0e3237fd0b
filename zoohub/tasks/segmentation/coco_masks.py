"""COCO's .json files as masks: polygons and run-length codes, class 0 the background."""

from __future__ import annotations

from pathlib import Path

from zoohub.core.paths import expanded
from zoohub.core.text_reader import is_file, named_path
from zoohub.errors import DataError
from zoohub.tasks.contract import Reader
from zoohub.tasks.detection.coco_file import (
    Categories,
    Coco,
    load_parts,
    picture_folder,
    testing_file,
    validation_file,
)
from zoohub.tasks.samples import Samples, Splits, none, split_off
from zoohub.tasks.segmentation.masks import MOST_CLASSES, Mask, MaskSamples, Shapes
from zoohub.tasks.segmentation.recipe import CocoMasksData


class CocoMasksReader(Reader[CocoMasksData, Mask]):
    """A .json file of COCO's whose objects have segmentations."""

    data = CocoMasksData
    says = "a COCO .json with segmentations"

    def claims(self, source: Path) -> bool:
        """See `Reader`."""
        return not source.is_dir() and source.suffix.lower() == ".json"

    def describe(self, source: Path) -> CocoMasksData:
        """See `Reader`."""
        return CocoMasksData("coco-masks", str(source.absolute()))

    def read(self, data: CocoMasksData, *, measuring: bool = False) -> Splits[Mask]:
        """See `Reader`."""
        file = expanded(data.path)
        skipped: dict[str, str] = {}
        files = (file, validation_file(file), testing_file(file))
        contents, categories = load_parts(files)
        train, validation, test = (
            none() if part is None or content is None
            else _read_part(part, content, categories, skipped)
            for part, content in zip(files, contents, strict=True)
        )  # fmt: skip
        if not len(validation) and data.validation and not measuring:
            train, validation = split_off(train, data.validation, data.seed)
        classes = ("background", *categories.names)
        return Splits(classes, train, validation, test, skipped, categories.sentences())


def _read_part(
    file: Path, content: Coco, categories: Categories, skipped: dict[str, str]
) -> MaskSamples:
    """The pictures of one file; missing pictures are counted in `skipped`.

    Raises:
        DataError: no object has a segmentation, or there are too many classes.
    """
    count = len(categories.names)
    if count >= MOST_CLASSES:
        raise DataError(f"{file}: {count} categories; a mask holds {MOST_CLASSES - 1}")
    place = {number: index + 1 for number, index in categories.places.items()}
    objects: dict[object, list[tuple[int, object]]] = {}
    crowds: dict[object, list[object]] = {}
    for row in content["annotations"]:
        shape, index = row.get("segmentation"), place.get(row.get("category_id"))
        if not shape or index is None:
            continue
        if row.get("iscrowd"):
            crowds.setdefault(row.get("image_id"), []).append(shape)
        else:
            objects.setdefault(row.get("image_id"), []).append((index, shape))
    if not objects:
        raise DataError(f"{file}: no object has a segmentation; a detector can learn its boxes")
    folder = picture_folder(file, content["images"])
    pictures: list[Path] = []
    masks: list[Mask] = []
    for row in content["images"]:
        picture, key = named_path(folder, row["file_name"]), row["id"]
        if not is_file(picture):
            skipped[str(picture)] = f"{picture}: there is no such file"
            continue
        if not all(_is_side(row.get(side)) for side in ("height", "width")):
            skipped[str(picture)] = f"{picture}: {file} does not say its height and width"
            continue
        size = (int(row["height"]), int(row["width"]))
        shapes = Shapes(size, tuple(objects.get(key, ())), tuple(crowds.get(key, ())))
        pictures.append(picture)
        masks.append(Mask(shapes))
    return Samples(pictures, masks, [str(picture) for picture in pictures])


def _is_side(value: object) -> bool:
    return type(value) is int and 0 < value < 1 << 20
