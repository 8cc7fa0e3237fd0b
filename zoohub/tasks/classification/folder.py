"""A folder a class, or train/ and val/ above those."""

from __future__ import annotations

from pathlib import Path

from zoohub.core.paths import expanded
from zoohub.errors import DataError
from zoohub.inputs.picture.files import find_unreadable, other_files, picture_files
from zoohub.tasks.classification.recipe import FolderData
from zoohub.tasks.classification.splitting import (
    class_warnings,
    no_picture,
    require_samples,
    require_two,
    sort_classes,
    split_classes,
)
from zoohub.tasks.contract import Reader
from zoohub.tasks.samples import PARTS, Samples, Splits, none


class FolderReader(Reader[FolderData, int]):
    """A folder a class, or train/ and val/ above those."""

    data = FolderData
    says = "a folder a class, train/ and val/"

    def claims(self, source: Path) -> bool:
        """See `Reader`."""
        return source.is_dir()

    def describe(self, source: Path) -> FolderData:
        """See `Reader`."""
        return FolderData("folder", str(source.absolute()))

    def read(self, data: FolderData, *, measuring: bool = False) -> Splits[int]:
        """See `Reader`."""
        return require_samples(read_folder(data, evaluating=measuring), measuring)


def read_folder(data: FolderData, *, evaluating: bool = False) -> Splits[int]:
    """The pictures of a folder, split. Unreadable ones are left out and named in `skipped`.

    To train on them, the classes are those of the training part, and at least two. To measure a
    network (`evaluating`), they are those of all the parts, and none is split off.

    Raises:
        DataError: there is no such folder, no class, no picture, or two classes share a name.
    """
    root = expanded(data.path)
    if not root.is_dir():
        raise DataError(f"{root}: there is no such folder")
    parts, warnings = _parts(root)
    named = list(parts.values()) if evaluating else [parts["train"]]
    classes, empty_classes = _classes(named)
    warnings += empty_classes
    if not evaluating:
        require_two(classes, parts["train"])
    skipped: dict[str, str] = {}
    samples = {
        name: _samples(folder, classes, root, skipped, warnings) for name, folder in parts.items()
    }
    train = samples["train"]
    if not any(map(len, samples.values() if evaluating else [train])):
        raise no_picture(root, "class", skipped)
    validation = samples.get("validation", none())
    if "validation" not in parts and len(train) and not evaluating:
        warnings += class_warnings(classes, train.targets, data.validation)
        train, validation = split_classes(train, data.validation, data.seed)
    test = samples.get("test", none())
    return Splits(classes, train, validation, test, skipped, tuple(warnings))


def _parts(root: Path) -> tuple[dict[str, Path], list[str]]:
    """The folder of each part, and warnings; {"train": root} where the folders are classes."""
    folders = _folders(root)
    named = [folder for folder in folders if _part_of(folder)]
    # `train` of pictures may be a class beside `bus`; beside nothing but parts it is a mistake.
    parts = [folder for folder in named if _folders(folder)]
    if named == folders and "train" not in map(_part_of, parts):
        parts = named
    train = next((folder for folder in parts if _part_of(folder) == "train"), None)
    if train is None:
        return {"train": root}, []
    others = [folder.name for folder in folders if folder not in parts and picture_files(folder)]
    if others and parts == [train] and train.name != "train":
        return {"train": root}, []  # `training` beside `match`, both with folders inside
    by_part: dict[str, Path] = {}
    for folder in parts:
        other = by_part.setdefault(_part_of(folder), folder)
        if other != folder:
            raise DataError(
                f"{root}: {other.name!r} and {folder.name!r} name the same part of the data; "
                "keep one, or put their pictures together"
            )
    warning = f"beside {train.name}/, and no part with a folder a class, so left out: "
    return by_part, [warning + ", ".join(others)] if others else []


def _part_of(folder: Path) -> str:
    return PARTS.get(folder.name.casefold(), "")


def _folders(folder: Path) -> list[Path]:
    return [f for f in sorted(folder.iterdir()) if f.is_dir() and not f.name.startswith(".")]


def _classes(parts: list[Path]) -> tuple[tuple[str, ...], list[str]]:
    """The classes with at least one picture file in these parts, and warnings of those without."""
    folders = [folder for part in parts for folder in _folders(part)]
    if not folders:
        raise DataError(f"{parts[0]}: expected a folder a class, found none")
    names = sort_classes(folder.name for folder in folders)
    full = {folder.name for folder in folders if picture_files(folder)}
    found = {folder.name: other_files(folder) for folder in folders if folder.name not in full}
    empty = [f"{name} (found {found[name]})" for name in names if name not in full]
    warnings = [f"no pictures, left out: {', '.join(empty)}"] if empty else []
    return tuple(name for name in names if name in full), warnings


def _samples(
    folder: Path,
    classes: tuple[str, ...],
    root: Path,
    skipped: dict[str, str],
    warnings: list[str],
) -> Samples[int]:
    images: list[Path] = []
    labels: list[int] = []
    for label, name in enumerate(classes):
        found = picture_files(folder / name) if (folder / name).is_dir() else []
        images += found
        labels += [label] * len(found)
    extra = sorted(f.name for f in _folders(folder) if f.name not in classes and picture_files(f))
    if extra:
        warnings.append(f"{folder.name}: classes without training pictures: {', '.join(extra)}")
    bad = find_unreadable(images)
    skipped.update({path.relative_to(root).as_posix(): reason for path, reason in bad.items()})
    good = [i for i, path in enumerate(images) if path not in bad]
    return Samples(
        [images[i] for i in good],
        [labels[i] for i in good],
        [images[i].relative_to(root).as_posix() for i in good],
    )
