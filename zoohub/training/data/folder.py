"""A folder a class, or train/ and val/ above those."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from zoohub.errors import DataError
from zoohub.training.data.files import find_unreadable, picture_files
from zoohub.training.data.samples import Samples, Splits
from zoohub.training.data.splitting import class_warnings, sort_classes, split_off
from zoohub.training.recipe import FolderData

_VALIDATION = ("val", "validation", "valid")


def read_folder(data: FolderData) -> Splits:
    """The pictures of a folder, split. Unreadable ones are left out and named in `skipped`.

    Raises:
        DataError: there is no such folder, no class, no picture, or two classes share a name.
    """
    root = Path(data.path).expanduser()
    if not root.is_dir():
        raise DataError(f"{root}: there is no such folder")
    parts = _parts(root)
    classes, warnings = _classes(parts["train"])
    skipped: dict[str, str] = {}
    samples = {
        name: _samples(folder, classes, root, skipped, warnings) for name, folder in parts.items()
    }
    train = samples["train"]
    if not len(train):
        raise DataError(f"{root}: no readable picture in any class ({len(skipped)} unreadable)")
    empty = Samples([], np.zeros(0, np.int64), [])
    validation = samples.get("validation", empty)
    if "validation" not in parts:
        warnings += class_warnings(classes, train.labels, data.validation)
        kept, split = split_off(train.labels, data.validation, data.seed)
        train, validation = train.take(kept), train.take(split)
    return Splits(classes, train, validation, samples.get("test", empty), skipped, tuple(warnings))


def _parts(root: Path) -> dict[str, Path]:
    if not (root / "train").is_dir():
        return {"train": root}
    parts = {"train": root / "train"}
    for name in _VALIDATION:
        if (root / name).is_dir():
            parts["validation"] = root / name
    if (root / "test").is_dir():
        parts["test"] = root / "test"
    return parts


def _classes(folder: Path) -> tuple[tuple[str, ...], list[str]]:
    """The classes with at least one picture file, and warnings of those without."""
    folders = [f for f in sorted(folder.iterdir()) if f.is_dir() and not f.name.startswith(".")]
    if not folders:
        raise DataError(f"{folder}: expected a folder a class, found none")
    names = sort_classes(f.name for f in folders)
    empty = [name for name in names if not picture_files(folder / name)]
    classes = tuple(name for name in names if name not in empty)
    if len(classes) < 2:
        found = classes[0] if classes else "none with pictures"
        raise DataError(f"{folder}: at least two classes are needed, found {found}")
    return classes, [f"no pictures, left out: {', '.join(empty)}"] if empty else []


def _samples(
    folder: Path,
    classes: tuple[str, ...],
    root: Path,
    skipped: dict[str, str],
    warnings: list[str],
) -> Samples:
    images: list[Path] = []
    labels: list[int] = []
    for label, name in enumerate(classes):
        found = picture_files(folder / name) if (folder / name).is_dir() else []
        images += found
        labels += [label] * len(found)
    extra = sorted(
        f.name
        for f in folder.iterdir()
        if f.is_dir() and f.name not in classes and not f.name.startswith(".") and picture_files(f)
    )
    if extra:
        warnings.append(f"{folder.name}: classes without training pictures: {', '.join(extra)}")
    bad = find_unreadable(images)
    skipped.update({path.relative_to(root).as_posix(): reason for path, reason in bad.items()})
    good = [i for i, path in enumerate(images) if path not in bad]
    return Samples(
        [images[i] for i in good],
        np.array([labels[i] for i in good], np.int64),
        [images[i].relative_to(root).as_posix() for i in good],
    )
