"""Pictures and masks in folders: two beside each other, or Pascal VOC's."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from zoohub.core.counting import counted
from zoohub.core.paths import expanded
from zoohub.core.text_reader import read_text_file
from zoohub.errors import DataError
from zoohub.inputs.picture.files import find_unreadable
from zoohub.inputs.picture.kinds import is_picture
from zoohub.tasks.contract import Reader
from zoohub.tasks.samples import Samples, Splits, none, split_off
from zoohub.tasks.segmentation.masks import IGNORED, Mask, MaskSamples, read_mask
from zoohub.tasks.segmentation.recipe import MasksData

_IMAGES = ("images", "imgs", "image", "JPEGImages")
_MASKS = ("masks", "labels", "mask", "annotations", "SegmentationClass")
_PARTS = {
    "train": ("train", "training"),
    "validation": ("val", "validation", "valid"),
    "test": ("test", "testing"),
}
_ENDINGS = ("_mask", "_masks", "_label", "_labels", "_seg", "_gt")
_LOOKED_AT = 200  # masks, to find out how many classes there are
_VOC_CLASSES = (
    "background", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair",
    "cow", "diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa",
    "train", "tvmonitor",
)  # fmt: skip


class MasksReader(Reader[MasksData, Mask]):
    """A folder with `images/` and `masks/`, perhaps with `train/` and `val/` above or below."""

    data = MasksData
    says = "a folder with images/ and masks/, or Pascal VOC's"

    def claims(self, source: Path) -> bool:
        """See `Reader`."""
        return source.is_dir() and any(
            _pair(folder) is not None
            for folder in (source, *(source / n for names in _PARTS.values() for n in names))
        )

    def describe(self, source: Path) -> MasksData:
        """See `Reader`."""
        return MasksData("masks", str(source.absolute()))

    def read(self, data: MasksData, *, measuring: bool = False) -> Splits[Mask]:
        """See `Reader`; class names are the lines of `classes.txt`, where there is one."""
        data = replace(data, validation=0.0) if measuring else data
        root = expanded(data.path)
        skipped: dict[str, str] = {}
        parts = _parts(root, skipped)
        if not any(len(part) for part in parts.values()):
            reason = next(iter(skipped.values()), "no folder images/ with a folder masks/ beside")
            raise DataError(f"{root}: there is no picture with a mask: {reason}")
        classes, values = _classes(root, [m for part in parts.values() for m in part.targets])
        train, validation, test = (_with_values(parts[name], values) for name in _PARTS)
        if not len(train) and not measuring:
            train, test = test, none()
        if not len(validation) and data.validation:
            train, validation = split_off(train, data.validation, data.seed)
        return Splits(classes, train, validation, test, skipped)


def _parts(root: Path, skipped: dict[str, str]) -> dict[str, MaskSamples]:
    """The samples of each part, in whichever of the layouts they lie."""
    lists = root / "ImageSets" / "Segmentation"
    whole = _pair(root)
    parts: dict[str, MaskSamples] = {}
    for part, names in _PARTS.items():
        parts[part] = none()
        for name in names:
            pair = _pair(root / name)
            if whole is not None and all((folder / name).is_dir() for folder in whole):
                pair = (whole[0] / name, whole[1] / name)
            if pair is not None:
                parts[part] = _matched(*pair, skipped)
            elif whole is not None and (lists / f"{name}.txt").is_file():
                only = read_text_file(lists / f"{name}.txt").split()
                parts[part] = _matched(*whole, skipped, only)
    if whole is not None and not any(len(part) for part in parts.values()):
        parts["train"] = _matched(*whole, skipped)
    return parts


def _pair(folder: Path) -> tuple[Path, Path] | None:
    images = next((folder / name for name in _IMAGES if (folder / name).is_dir()), None)
    masks = next((folder / name for name in _MASKS if (folder / name).is_dir()), None)
    return (images, masks) if images is not None and masks is not None else None


def _matched(
    images: Path, masks: Path, skipped: dict[str, str], only: Iterable[str] | None = None
) -> MaskSamples:
    """Each picture with the mask of its name; those without are counted in `skipped`."""
    by_stem = {_stem(file): file for file in _files(masks)}
    wanted = None if only is None else set(only)
    pictures = [file for file in _files(images) if wanted is None or file.stem in wanted]
    broken = find_unreadable(pictures)
    skipped.update({str(picture): reason for picture, reason in broken.items()})
    found: list[tuple[Path, Mask]] = []
    for picture in pictures:
        if picture in broken:
            continue
        mask = by_stem.get(_stem(picture))
        if mask is None:
            skipped[str(picture)] = f"{picture}: no mask of that name in {masks}"
        else:
            found.append((picture, Mask(mask)))
    pictures = [picture for picture, _ in found]
    return Samples(pictures, [mask for _, mask in found], [str(picture) for picture in pictures])


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_file() and is_picture(path))


def _stem(file: Path) -> str:
    stem = file.stem
    return next((stem.removesuffix(end) for end in _ENDINGS if stem.endswith(end)), stem)


def _with_values(samples: MaskSamples, values: tuple[int, ...] | None) -> MaskSamples:
    if values is None:
        return samples
    masks = [replace(mask, values=values) for mask in samples.targets]
    return Samples(samples.inputs, masks, samples.names)


def _classes(root: Path, masks: list[Mask]) -> tuple[tuple[str, ...], tuple[int, ...] | None]:
    """The classes' names, and which class each value of a mask is (None: itself).

    Masks of 0 and 255 alone are black and white: white is class 1. Elsewhere 255 is ignored.

    Raises:
        DataError: `classes.txt` names fewer classes than the masks have.
    """
    seen = _values(masks)
    inked = seen - {0, IGNORED}
    table: tuple[int, ...] | None = None
    if not inked and IGNORED in seen:
        table = tuple(1 if value == IGNORED else value for value in range(256))
        inked = {1}
    count = max(inked, default=0) + 1
    file = root / "classes.txt"
    if file.is_file():
        names = tuple(line.strip() for line in read_text_file(file).splitlines() if line.strip())
        if len(names) < count:
            raise DataError(
                f"{file} names {counted(len(names), 'class', 'classes')}, but the masks have class "
                f"{count - 1}; name every class, the background first"
            )
        return names, table
    if (root / "ImageSets" / "Segmentation").is_dir() and count <= len(_VOC_CLASSES):
        return _VOC_CLASSES, table
    return ("background", *(f"class {index}" for index in range(1, max(2, count)))), table


def _values(masks: list[Mask]) -> set[int]:
    """The values that occur in the masks: in all of a few, in some of many."""
    step = max(1, len(masks) // _LOOKED_AT)
    seen: set[int] = set()
    for mask in masks[::step]:
        assert isinstance(mask.source, Path)
        try:
            seen.update(int(value) for value in np.unique(read_mask(mask.source)))
        except DataError:  # counted where it is read
            continue
    return seen
