"""From a recipe's `data` to pictures with boxes."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from zoohub.errors import DataError
from zoohub.training.data.digits import all_digits
from zoohub.training.detection.coco_format import read_coco_part, testing_file, validation_file
from zoohub.training.detection.labels import Complaints, skip_sentence
from zoohub.training.detection.recipe import (
    BoxData,
    BoxesData,
    DetectionRecipe,
    ScenesData,
    is_detection,
)
from zoohub.training.detection.samples import BoxSamples, BoxSplits
from zoohub.training.detection.scenes import CLASSES, FOLDS, Part, make_scenes
from zoohub.training.detection.yolo_format import part_pictures, read_data_yaml, read_yolo_part
from zoohub.training.folder import RECIPE
from zoohub.training.planning import folder_to_resume, is_recipe_file

SCENES = "digit-scenes"
_SUFFIXES = (".yaml", ".yml", ".json")
_NONE = BoxSamples([], [], [])


def is_box_data(data: object) -> bool:
    """Whether what the user gave as data is for a detector."""
    if isinstance(data, ScenesData | BoxesData):
        return True
    if not isinstance(data, str | Path):
        return False
    return str(data) == SCENES or Path(data).suffix.lower() in _SUFFIXES


def wants_detection(
    model: object, data: object, output: str | Path | None = None, *, resume: bool = False
) -> bool:
    """Whether a call of `finetune` is about a detector.

    It is where the recipe says so (`task: object-detection`), the run to go on with is one, or
    the data are a data.yaml, a COCO .json or `digit-scenes`.
    """
    if isinstance(model, DetectionRecipe):
        return True
    if resume:
        return is_detection(folder_to_resume(model, output, data) / RECIPE)
    if isinstance(model, str | Path) and is_recipe_file(model):
        return is_detection(model)
    return is_box_data(data)


def box_data_for(path: str | Path) -> BoxData:
    """What a user's `--data` means for a detector: a data.yaml, a COCO .json or `digit-scenes`.

    Raises:
        DataError: it is none of them.
    """
    if str(path) == SCENES:
        return ScenesData(kind="digit-scenes")
    if not is_box_data(path):
        raise DataError(
            f"{path}: to train a detector, give a data.yaml in YOLO's format or a .json file in "
            "COCO's"
        )
    return BoxesData(kind="boxes", path=str(path))


def read_boxes(data: BoxData, *, training: bool = True) -> BoxSplits:
    """The pictures and boxes, split; what is wrong with them is counted in `warnings`.

    Raises:
        DataError: they cannot be read, or (unless `training` is False) no box is left to train on.
    """
    if isinstance(data, ScenesData):
        return read_scenes(data)
    file = Path(data.path).expanduser()
    complaints, skipped = Complaints(), dict[str, str]()
    if file.suffix.lower() == ".json":
        files = [file, validation_file(file), testing_file(file)]
        classes, parts = _read_coco(file, files, complaints, skipped)
    else:
        classes, parts = _read_yaml(file, complaints, skipped)
    train, validation, test = parts
    if not len(validation) and data.validation:
        train, validation = _split_off(train, data.validation, data.seed)
    warnings = (*skip_sentence(skipped), *complaints.sentences())
    if training:
        warnings += _empty_classes(classes, train)
    if training and not train.box_count:
        reasons = "; ".join(warnings) or "there are no labels"
        raise DataError(f"{file}: no box is left to train on: {reasons}")
    return BoxSplits(classes, train, validation, test, skipped, warnings)


def read_scenes(data: ScenesData) -> BoxSplits:
    """Scenes of the UCI digits; no digit is in two parts. Needs scikit-learn."""
    digits = all_digits()
    fold = np.arange(len(digits)) % 5
    counts: dict[Part, int] = {
        "train": data.train,
        "validation": data.validation,
        "test": data.test,
    }
    parts = {
        part: make_scenes(
            digits.take(np.flatnonzero(np.isin(fold, FOLDS[part]))), part, count, data.size
        )
        for part, count in counts.items()
    }
    return BoxSplits(CLASSES, parts["train"], parts["validation"], parts["test"])


def _read_yaml(
    file: Path, complaints: Complaints, skipped: dict[str, str]
) -> tuple[tuple[str, ...], list[BoxSamples]]:
    content = read_data_yaml(file)
    names = content["names"]
    if str(content["train"]).endswith(".json"):
        root = file.parent / Path(str(content.get("path") or ".")).expanduser()
        files = [root / str(content[part]) if content.get(part) else None
                 for part in ("train", "val", "test")]  # fmt: skip
        return _read_coco(file, files, complaints, skipped)
    parts = [
        read_yolo_part(part_pictures(file, content, part), len(names), complaints, skipped)
        for part in ("train", "val", "test")
    ]
    return names, parts


def _read_coco(
    origin: Path, files: list[Path | None], complaints: Complaints, skipped: dict[str, str]
) -> tuple[tuple[str, ...], list[BoxSamples]]:
    classes: tuple[str, ...] | None = None
    parts = []
    for file in files:
        if file is None:
            parts.append(_NONE)
            continue
        found, samples = read_coco_part(file, complaints, skipped)
        if classes is not None and found != classes:
            raise DataError(f"{origin}: {file} has other categories than the file to train on")
        classes = found
        parts.append(samples)
    assert classes is not None
    return classes, parts


def _split_off(samples: BoxSamples, share: float, seed: int) -> tuple[BoxSamples, BoxSamples]:
    order = np.random.default_rng([seed, len(samples)]).permutation(len(samples))
    count = min(len(samples) - 1, max(1, round(share * len(samples)))) if len(samples) else 0
    return samples.take(np.sort(order[count:])), samples.take(np.sort(order[:count]))


def _empty_classes(classes: tuple[str, ...], train: BoxSamples) -> tuple[str, ...]:
    seen = {int(label) for boxes in train.boxes for label in boxes[:, 0]}
    missing = [name for i, name in enumerate(classes) if i not in seen]
    return (f"no box to train on: {', '.join(missing)}",) if missing else ()
