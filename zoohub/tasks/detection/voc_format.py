"""Pascal VOC's format: pictures in JPEGImages/, an XML file of objects for each in Annotations/,
and in ImageSets/Main/ lists of the pictures of each part."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from zoohub.core.text_reader import decoded, exists, file_bytes, is_file, named_path, read_text_file
from zoohub.errors import DataError
from zoohub.inputs.picture.files import find_unreadable, picture_files
from zoohub.tasks.detection.labels import BROKEN, Complaints, check_boxes, picture_size
from zoohub.tasks.detection.samples import BoxSamples, Objects
from zoohub.tasks.samples import Samples, none

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_PICTURES = ("JPEGImages", "images", "Images")
_PARTS = {"train": ("train", "trainval"), "validation": ("val", "valid"), "test": ("test",)}
_MAX_BYTES = 16 << 20
_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
_ENCODING = re.compile(rb"""\s*<\?xml[^>]*\sencoding\s*=\s*["']([\w.:-]{1,40})["']""")
_CORNERS = ("xmin", "ymin", "xmax", "ymax")


@dataclass(frozen=True)
class _Object:
    name: str
    corners: tuple[float, ...]  # x1, y1, x2, y2 in pixels
    ignored: bool
    where: str


def is_voc(folder: Path) -> bool:
    """Whether there are VOC's annotations in the folder."""
    return next((folder / "Annotations").glob("*.xml"), None) is not None


def read_voc(
    root: Path, complaints: Complaints, skipped: dict[str, str]
) -> tuple[tuple[str, ...], list[BoxSamples]]:
    """The class names (of `classes.txt`, else those that occur, sorted), and the pictures of the
    parts for training, validation and testing with their boxes.

    Objects marked `difficult` are not trained on, nor counted as missed. A picture without an
    annotation, and an annotation without a picture, is left out and named in `skipped`.

    Raises:
        DataError: there is no annotation that can be read, or a part names another class.
    """
    annotations = sorted((root / "Annotations").glob("*.xml"))
    objects: dict[str, list[_Object]] = {}
    pictures: dict[str, Path] = {}
    by_stem = {path.stem: path for path in _pictures(root)}
    for file in annotations:
        try:
            filename, objects[file.stem] = read_annotation(file, complaints)
        except DataError as error:
            skipped[str(file)] = str(error).removeprefix(f"{file}: ")
            continue
        found = _picture(root, filename, by_stem.get(file.stem))
        if found is None:
            skipped[str(file)] = f"no picture {filename or file.stem} in {_folder(root)}"
        else:
            pictures[file.stem] = found
    _name_unlabelled(root, by_stem, objects, pictures, skipped)
    if not pictures:
        reason = next(iter(skipped.values()), "there is none")
        raise DataError(f"{root}: no annotation with a picture: {reason}")
    classes = _classes(root, objects)
    return classes, [
        _part(stems, pictures, objects, classes, complaints, skipped)
        for stems in _split(root, pictures, skipped)
    ]


def read_annotation(file: Path, complaints: Complaints) -> tuple[str, list[_Object]]:
    """The picture's name as it is written there, and the objects.

    Raises:
        DataError: it is no XML, uses entities (the stuff of XML bombs), or is something else.
    """
    root = _parse(file)
    if root.tag != "annotation":
        raise DataError(f"{file}: not VOC's: <{root.tag[:40]}> where <annotation> belongs")
    objects = []
    for number, node in enumerate(root.findall("object"), 1):
        where = f"{file}: object {number}"
        name, box = (node.findtext("name") or "").strip(), node.find("bndbox")
        corners = [] if box is None else [_number(box.findtext(corner)) for corner in _CORNERS]
        if not name or not corners or not all(map(math.isfinite, corners)):
            complaints.add(BROKEN, where)
            continue
        x1, y1, x2, y2 = corners  # VOC's pixels are counted from 1, and the last belongs to it
        ignored = (node.findtext("difficult") or "").strip() == "1"
        objects.append(_Object(name, (x1 - 1, y1 - 1, x2, y2), ignored, where))
    return (root.findtext("filename") or "").strip(), objects


def _parse(file: Path) -> Element:
    try:
        from defusedxml.common import DefusedXmlException
        from defusedxml.ElementTree import ParseError, fromstring
    except ImportError:
        raise DataError("VOC's files need defusedxml: pip install 'zoohub[detection]'") from None
    data = file_bytes(file, str(file), DataError, _MAX_BYTES)
    text = _DECLARATION.sub("", _text(data, str(file)), count=1)
    try:
        root: Element = fromstring(text, forbid_dtd=True)
    except ParseError as error:
        raise DataError(f"{file}:{error.position[0]}: not valid XML: {error}; mend it") from None
    except DefusedXmlException:
        raise DataError(f"{file}: a DTD or entities, which are refused; write it out") from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"{file}: not valid XML: {error}") from None
    return root


def _text(data: bytes, name: str) -> str:
    """In the encoding that the file itself declares, which expat has few of."""
    declared = _ENCODING.match(data)
    encoding = declared[1].decode().lower() if declared else "utf-8"
    if encoding.startswith("utf") or data.startswith(b"\xef\xbb\xbf"):
        return decoded(data, name, DataError, "XML", chinese=True)
    try:
        encoding = "gb18030" if encoding.startswith("gb") else encoding
        return decoded(data.decode(encoding).encode(), name, DataError, "XML")
    except (LookupError, ValueError):
        raise DataError(f"{name}:1: not text in {encoding[:40]}; save the file as UTF-8") from None


def _number(text: str | None) -> float:
    try:
        return float(text or "nan")
    except ValueError:
        return math.nan


def _folder(root: Path) -> Path:
    return next((root / name for name in _PICTURES if exists(root / name)), root / _PICTURES[0])


def _pictures(root: Path) -> list[Path]:
    return picture_files(_folder(root))


def _picture(root: Path, filename: str, same_stem: Path | None) -> Path | None:
    """By its name, or where tools have written another folder or suffix, by the annotation's."""
    folder = _folder(root)
    if filename:
        short = filename.replace("\\", "/").rsplit("/", 1)[-1]
        for path in (named_path(folder, filename), folder / short):
            if is_file(path):
                return path
    return same_stem


def _name_unlabelled(
    root: Path,
    by_stem: dict[str, Path],
    objects: dict[str, list[_Object]],
    pictures: dict[str, Path],
    skipped: dict[str, str],
) -> None:
    used = set(pictures.values())
    for stem, path in by_stem.items():
        if path not in used and stem not in objects:
            skipped[str(path)] = f"no annotation {root / 'Annotations' / (stem + '.xml')}"


def _classes(root: Path, objects: dict[str, list[_Object]]) -> tuple[str, ...]:
    found = {one.name for several in objects.values() for one in several}
    file = root / "classes.txt"
    if is_file(file):
        lines = (line.strip() for line in read_text_file(file).splitlines())
        names = tuple(dict.fromkeys(line for line in lines if line))
        if missing := sorted(found - set(names)):
            raise DataError(f"{file} lacks {', '.join(missing[:10])}, which annotations name")
        return names
    whole = all(re.fullmatch(r"[0-9]{1,9}", name) for name in found)
    return tuple(sorted(sorted(found), key=int) if whole else sorted(found))


def _split(root: Path, pictures: dict[str, Path], skipped: dict[str, str]) -> list[list[str]]:
    """The annotations' stems of each part; all are for training where there is no list."""
    folder = root / "ImageSets" / "Main"
    parts: list[list[str]] = []
    for names in _PARTS.values():
        file = next((f for name in names if is_file(f := folder / f"{name}.txt")), None)
        parts.append([])
        for line in read_text_file(file).splitlines() if file else ():
            # A list may hold names with blanks in them, or `name 1` and `name -1`.
            words = line.split()
            choices = (line.strip(), *words[:1])
            stems = (Path(c).stem if c not in pictures else c for c in choices)
            stem = next((s for s in stems if s in pictures), None)
            if stem is not None:
                parts[-1].append(stem)
            elif words:
                skipped.setdefault(f"{file}: {line.strip()[:80]}", "no annotation with a picture")
        parts[-1] = list(dict.fromkeys(parts[-1]))
    return parts if any(parts) else [list(pictures), [], []]


def _part(
    stems: list[str],
    pictures: dict[str, Path],
    objects: dict[str, list[_Object]],
    classes: tuple[str, ...],
    complaints: Complaints,
    skipped: dict[str, str],
) -> BoxSamples:
    if not stems:
        return none()
    bad = find_unreadable([pictures[stem] for stem in stems])
    skipped.update({str(path): reason for path, reason in bad.items()})
    place = {name: index for index, name in enumerate(classes)}
    good = [stem for stem in stems if pictures[stem] not in bad]
    targets = []
    for stem in good:
        size = picture_size(pictures[stem])
        boxes = []
        for ignored in (False, True):
            chosen = [one for one in objects[stem] if one.ignored is ignored]
            rows = [(place[one.name], *one.corners) for one in chosen]
            array = np.array(rows, np.float64).reshape(-1, 5)
            where = [one.where for one in chosen]
            boxes.append(check_boxes(array, where, size, len(classes), complaints))
        targets.append(Objects(boxes[0], boxes[1]))
    paths = [pictures[stem] for stem in good]
    return Samples(paths, targets, [str(path) for path in paths])
