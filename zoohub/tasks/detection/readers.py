"""Pictures with boxes: a data.yaml (YOLO), a .json file (COCO), a folder (VOC), digit scenes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from zoohub.core.paths import expanded
from zoohub.errors import DataError
from zoohub.tasks.contract import Reader
from zoohub.tasks.detection.coco_file import load_parts, testing_file, validation_file
from zoohub.tasks.detection.coco_format import read_coco_part
from zoohub.tasks.detection.labels import Complaints
from zoohub.tasks.detection.recipe import BoxesData, ScenesData
from zoohub.tasks.detection.samples import BoxSamples, Objects, box_count
from zoohub.tasks.detection.voc_format import is_voc, read_voc
from zoohub.tasks.detection.yolo_format import (
    PARTS,
    part_pictures,
    read_data_yaml,
    read_yolo_part,
)
from zoohub.tasks.samples import Splits, left_out_sentence, none, split_off

_SUFFIXES = (".yaml", ".yml", ".json")


class ScenesReader(Reader[ScenesData, Objects]):
    """The word `digit-scenes`."""

    data = ScenesData
    says = "`digit-scenes`"
    dataset = "uci-digits"

    def claims(self, source: Path) -> bool:
        """See `Reader`."""
        return str(source) == "digit-scenes"

    def describe(self, source: Path) -> ScenesData:
        """See `Reader`."""
        return ScenesData("digit-scenes")

    def read(self, data: ScenesData, *, measuring: bool = False) -> Splits[Objects]:
        """See `Reader`."""
        from zoohub.tasks.detection.scenes import read_scenes

        return read_scenes(data, measuring=measuring)


class BoxesReader(Reader[BoxesData, Objects]):
    """A data.yaml, a COCO .json file or a folder of Pascal VOC's."""

    data = BoxesData
    says = "a data.yaml (YOLO), .json (COCO) or folder (VOC)"

    def claims(self, source: Path) -> bool:
        """See `Reader`."""
        if source.is_dir():
            return is_voc(source)
        return source.suffix.lower() in _SUFFIXES

    def describe(self, source: Path) -> BoxesData:
        """See `Reader`."""
        return BoxesData(kind="boxes", path=str(source.absolute()))

    def read(self, data: BoxesData, *, measuring: bool = False) -> Splits[Objects]:
        """See `Reader`."""
        return read_boxes(replace(data, validation=0.0) if measuring else data, not measuring)


def read_boxes(data: BoxesData, training: bool = True) -> Splits[Objects]:
    """The pictures and boxes, split; what is wrong with them is counted in `warnings`.

    Raises:
        DataError: they cannot be read, or (unless `training` is False) no box is left to train on.
    """
    file = expanded(data.path)
    complaints, skipped = Complaints(), dict[str, str]()
    notes: tuple[str, ...] = ()
    if file.is_dir():
        classes, parts = read_voc(file, complaints, skipped)
    elif file.suffix.lower() == ".json":
        files = [file, validation_file(file), testing_file(file)]
        classes, parts, notes = _read_coco(files, complaints, skipped)
    else:
        classes, parts, notes = _read_yaml(file, complaints, skipped)
    train, validation, test = parts
    if not len(validation) and data.validation:
        train, validation = split_off(train, data.validation, data.seed)
    warnings = (*notes, *complaints.sentences())
    if training:
        warnings += _empty_classes(classes, train)
    if training and not box_count(train):
        reasons = "; ".join((*left_out_sentence(skipped), *warnings)) or "there are no labels"
        raise DataError(f"{file}: no box is left to train on: {reasons}")
    return Splits(classes, train, validation, test, skipped, warnings)


_Read = tuple[tuple[str, ...], list[BoxSamples], tuple[str, ...]]  # classes, parts, notes


def _read_yaml(file: Path, complaints: Complaints, skipped: dict[str, str]) -> _Read:
    data = read_data_yaml(file)
    if data.names is None:
        entries = [data.parts[part] for part in PARTS]
        if any(len(several) > 1 for several in entries):
            raise DataError(f"{file}: one COCO file for each part; put several into one")
        files = [data.path(several[0]) if several else None for several in entries]
        return _read_coco(files, complaints, skipped)
    parts = [
        read_yolo_part(part_pictures(data, part), len(data.names), complaints, skipped)
        for part in PARTS
    ]
    return data.names, parts, ()


def _read_coco(
    files: Sequence[Path | None], complaints: Complaints, skipped: dict[str, str]
) -> _Read:
    contents, categories = load_parts(files)
    parts: list[BoxSamples] = []
    for file, content in zip(files, contents, strict=True):
        if file is None or content is None:
            parts.append(none())
            continue
        parts.append(read_coco_part(file, content, categories, complaints, skipped))
    return categories.names, parts, categories.sentences()


def _empty_classes(classes: tuple[str, ...], train: BoxSamples) -> tuple[str, ...]:
    seen = {int(label) for objects in train.targets for label in objects.boxes[:, 0]}
    missing = [name for i, name in enumerate(classes) if i not in seen]
    return (f"no box to train on: {', '.join(missing)}",) if missing else ()
