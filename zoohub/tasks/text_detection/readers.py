"""Pictures with outlines of text, in ICDAR 2015's files or MindOCR's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from zoohub.core.paths import expanded
from zoohub.errors import DataError
from zoohub.inputs.picture.files import find_unreadable
from zoohub.inputs.picture.kinds import is_picture
from zoohub.tasks.contract import Reader
from zoohub.tasks.samples import PARTS, Samples, Splits, left_out_sentence, none, split_off
from zoohub.tasks.text_detection.label_files import is_table, read_label_file, read_label_table
from zoohub.tasks.text_detection.recipe import TextsData
from zoohub.tasks.text_detection.samples import Texts, TextSamples, text_count

_LOOKED_AT = 2000  # files, to tell whether a folder has labels
_NO_LABELS = "no file of labels (gt_NAME.txt or NAME.txt) lies with it"


class TextsReader(Reader[TextsData, Texts]):
    """A folder of pictures with files of labels, or one such file for many pictures."""

    data = TextsData
    says = "a folder with pictures and gt_NAME.txt (ICDAR 2015) or det_gt.txt (MindOCR)"

    def claims(self, source: Path) -> bool:
        """See `Reader`."""
        if source.is_file():
            return source.suffix.lower() == ".txt" and is_table(source)
        if not source.is_dir():
            return False
        pictures, labels = set(), set()
        for number, file in enumerate(_files(source)):
            if number == _LOOKED_AT:
                break
            if file.suffix.lower() == ".txt":
                if is_table(file):
                    return True
                labels.add(file.stem.removeprefix("gt_"))
            elif is_picture(file):
                pictures.add(file.stem)
        return bool(pictures & labels)

    def describe(self, source: Path) -> TextsData:
        """See `Reader`."""
        return TextsData("texts", str(source.absolute()))

    def read(self, data: TextsData, *, measuring: bool = False) -> Splits[Texts]:
        """See `Reader`. Parts are told by words in the names of folders and files, such as
        `ch4_training_images`; what has none is to train on."""
        data = replace(data, validation=0.0) if measuring else data
        root = expanded(data.path)
        skipped: dict[str, str] = {}
        parts = _read(root, skipped)
        train, validation, test = (parts[name] for name in ("train", "validation", "test"))
        if not len(train) and not measuring:
            train, test = test, none()
        if not len(validation) and data.validation:
            train, validation = split_off(train, data.validation, data.seed)
        if not measuring and not text_count(train):
            reasons = "; ".join(left_out_sentence(skipped)) or "there are no labels"
            raise DataError(f"{root}: no text is left to train on: {reasons}")
        return Splits((), train, validation, test, skipped)


def _files(folder: Path) -> Iterator[Path]:
    """All files beneath a folder, in order, but for hidden ones."""
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir():
            yield from _files(path)
        else:
            yield path


def part_of(path: Path) -> str:
    """The part that a file is of, by the first word in its path that names one; else `train`."""
    words = (word for name in path.parts for word in re.split(r"[^a-zA-Z]+", name.lower()))
    return next((PARTS[word] for word in words if word in PARTS), "train")


def _read(root: Path, skipped: dict[str, str]) -> dict[str, TextSamples]:
    """The samples of each part."""
    found: dict[str, list[tuple[Path, Texts]]] = {name: [] for name in PARTS.values()}
    folder = root.parent if root.is_file() else root
    files = list(_files(folder))
    tables = [root] if root.is_file() else [file for file in files if _may_be_table(file)]
    if tables:
        for table in tables:
            part = "train" if root.is_file() else part_of(table.relative_to(folder))
            found[part] += _of_table(table, files, skipped)
    else:
        for picture, texts in _of_files(folder, files, skipped):
            found[part_of(picture.relative_to(folder))].append((picture, texts))
    return {
        part: Samples([p for p, _ in pairs], [t for _, t in pairs], [str(p) for p, _ in pairs])
        for part, pairs in found.items()
    }


def _may_be_table(file: Path) -> bool:
    return file.suffix.lower() == ".txt" and is_table(file)


def _of_table(
    table: Path, files: list[Path], skipped: dict[str, str]
) -> Iterator[tuple[Path, Texts]]:
    """The pictures that a table names, relative to its folder or to one beneath it."""
    folder = table.parent
    beneath: dict[str, Path] = {}
    for file in files:
        if file.is_relative_to(folder):
            names = file.relative_to(folder).parts
            for start in range(len(names)):
                beneath.setdefault("/".join(names[start:]), file)
    rows = read_label_table(table)
    places = {name: beneath.get(name.replace("\\", "/").removeprefix("./")) for name in rows}
    broken = find_unreadable([picture for picture in places.values() if picture is not None])
    for name, texts in rows.items():
        picture = places[name]
        if isinstance(texts, str):
            skipped[name] = texts
        elif picture is None:
            skipped[name] = f"there is no such picture in {folder} or beneath"
        elif picture in broken:
            skipped[str(picture)] = broken[picture]
        else:
            yield picture, texts


def _of_files(
    root: Path, files: list[Path], skipped: dict[str, str]
) -> Iterator[tuple[Path, Texts]]:
    """The pictures with the labels that lie beside them, or elsewhere in their part."""
    labels: dict[tuple[object, str], Path] = {}
    for file in files:
        if file.suffix.lower() == ".txt":
            for where in (file.parent, part_of(file.relative_to(root))):
                labels.setdefault((where, file.stem.removeprefix("gt_")), file)
    pictures = [file for file in files if file.suffix.lower() != ".txt" and is_picture(file)]
    broken = find_unreadable(pictures)
    for picture in pictures:
        if picture in broken:
            skipped[str(picture)] = broken[picture]
            continue
        places = (picture.parent, part_of(picture.relative_to(root)))
        own = next((f for where in places if (f := labels.get((where, picture.stem)))), None)
        if own is None:
            skipped[str(picture)] = _NO_LABELS
            continue
        try:
            yield picture, read_label_file(own)
        except DataError as error:
            skipped[str(picture)] = str(error)
