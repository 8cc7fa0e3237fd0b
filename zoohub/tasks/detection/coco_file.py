"""COCO's files read and held to their format, and which classes they have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from zoohub.core.json_reader import read_json_file
from zoohub.core.text_reader import is_file, named_path
from zoohub.errors import DataError

Coco: TypeAlias = "dict[str, Any]"  # a file's content, or an object in it

_MAX_BYTES = 2 << 30  # COCO's own largest has 450 MB


@dataclass(frozen=True)
class Categories:
    """The classes of one data set: their names in the order of their ids, and the place of each
    id; `root` is the category that only heads the others, where there is one."""

    names: tuple[str, ...]
    places: dict[int, int]
    root: str | None = None

    def sentences(self) -> tuple[str, ...]:
        """What to say of the root."""
        if self.root is None:
            return ()
        return (f"{self.root!r} only heads the other categories and has no object: no class",)


def load_parts(files: Sequence[Path | None]) -> tuple[list[Coco | None], Categories]:
    """The content of the file of each part, None for a part without, and their classes.

    Roboflow writes a category 0 above the real ones, without an object in any part; it is left
    out, so that the classes are those of the data.

    Raises:
        DataError: a file is not in COCO's format, or two have other categories.
    """
    contents = [None if file is None else load_coco(file) for file in files]
    pairs = [(file, content) for file, content in zip(files, contents, strict=True)
             if file is not None and content is not None]  # fmt: skip
    first, content = pairs[0]
    rows = _rows(first, content)
    for file, other in pairs[1:]:
        if [row[:2] for row in _rows(file, other)] != [row[:2] for row in rows]:
            raise DataError(f"{file} has other categories than {first}; give both the same")
    used = {_key(row.get("category_id")) for _, c in pairs for row in c["annotations"]}
    root = _root(rows, used)
    kept = [row for row in rows if row is not root]
    places = {number: place for place, (number, _, _) in enumerate(kept)}
    return contents, Categories(tuple(name for _, name, _ in kept), places, root and root[1])


def load_coco(file: Path) -> Coco:
    """The file's content, with lists of images, annotations and categories, whose ids and names
    are such.

    Raises:
        DataError: it is not in COCO's format.
    """
    content: Any = read_json_file(file, error=DataError, max_bytes=_MAX_BYTES, chinese=True)
    for key in ("images", "annotations", "categories"):
        part = content.get(key) if isinstance(content, dict) else None
        if not isinstance(part, list) or not all(isinstance(item, dict) for item in part):
            raise DataError(f"{file}: not in COCO's format: there is no list `{key}` of objects")
    for key, needed in (("images", ("id", "file_name")), ("categories", ("id", "name"))):
        if any(name not in item for item in content[key] for name in needed):
            raise DataError(f"{file}: not in COCO's format: {key} need {' and '.join(needed)}")
    _check(file, content, "images", "id", (int, str), "a number or text")
    _check(file, content, "images", "file_name", (str,), "text")
    _check(file, content, "categories", "id", (int,), "a whole number")
    _check(file, content, "categories", "name", (int, float, str), "text")
    _check(file, content, "annotations", "image_id", (int, str, type(None)), "a number or text")
    _check(file, content, "annotations", "category_id", (int, str, type(None)), "a whole number")
    seen = {item["id"] for item in content["images"]}
    if len(seen) != len(content["images"]):
        raise DataError(f"{file}: two images have one id; number them apart")
    return dict(content)


def picture_folder(file: Path, images: list[Coco]) -> Path:
    """Where most pictures are: beside the file, or (annotations/ apart) as COCO lays it out."""
    stem = file.stem.removeprefix("instances_")
    choices = [
        folder / part
        for folder in (file.parent, file.parent.parent)
        for part in (".", "images", stem, f"images/{stem}")
    ]
    # Some may be missing; a hundred from all over the list tell the folder all the same.
    names = [str(image["file_name"]) for image in images[:: len(images) // 100 + 1]]
    # Of folders with equally many the first counts: the file's own where there is no picture.
    return max(choices, key=lambda folder: sum(is_file(named_path(folder, n)) for n in names))


def validation_file(train: Path) -> Path | None:
    """The file for validation beside one for training: `train` in its name become `val`.

    Or its folder's name, as Roboflow lays it out: `train/x.json` and `valid/x.json`.
    """
    for word in ("val", "valid", "validation"):
        other = train.with_name(train.name.replace("train", word))
        if other != train and is_file(other):
            return other
        if found := _in_folder_beside(train, word):
            return found
    return None


def testing_file(train: Path) -> Path | None:
    """The file for testing next to one for training: `test/x.json` for `train/x.json`."""
    return _in_folder_beside(train, "test")


def _in_folder_beside(train: Path, name: str) -> Path | None:
    folder = train.absolute().parent
    other = folder.parent / name / train.name
    return other if folder.name == "train" and is_file(other) else None


_Row = tuple[int, str, str]  # id, name, supercategory


def _rows(file: Path, content: Coco) -> list[_Row]:
    rows = sorted(
        (row["id"], str(row["name"]), str(row.get("supercategory") or ""))
        for row in content["categories"]
    )
    if not rows:
        raise DataError(f"{file}: there is no category; list the classes under `categories`")
    if len({row[0] for row in rows}) != len(rows) or len({row[1] for row in rows}) != len(rows):
        raise DataError(f"{file}: two categories have one name or one id")
    return rows


def _root(rows: list[_Row], used: set[object]) -> _Row | None:
    first, others = rows[0], rows[1:]
    heads = others and first[2].lower() in ("", "none") and {row[2] for row in others} == {first[1]}
    return first if heads and first[0] not in used else None


def _key(value: object) -> object:
    return value if isinstance(value, int | str) else None


def _check(
    file: Path, content: Coco, part: str, key: str, types: tuple[type, ...], wanted: str
) -> None:
    for place, item in enumerate(content[part]):
        value = item.get(key)
        if isinstance(value, bool) or not isinstance(value, types):
            raise DataError(
                f"{file}: {part}[{place}]: {key}: expected {wanted}, found {str(value)[:60]!r}"
            )
