"""From what the user names, files, folders, patterns, pictures, to a flat list of inputs."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from zoohub.errors import DataError
from zoohub.inputs.picture.image import Picture
from zoohub.inputs.picture.kinds import is_picture, kinds_found
from zoohub.inputs.picture.pdf import is_pdf, pdf_pages
from zoohub.inputs.source import Source

Inputs: TypeAlias = "Picture | Iterable[Picture]"
ACCEPTED = "a path, a file's bytes, an open file, a PIL image or a uint8 array"


def expand_inputs(inputs: Inputs) -> tuple[Source, ...]:
    """Expand folders and patterns; keep the order in which the inputs were named.

    A folder stands for the image files (`kinds.is_picture`) directly in it, a pattern (`*`, `?`,
    `[…]`, `**`) for those that it matches, both sorted by name and without hidden files. A file
    named outright is kept whatever its suffix, and tried; a PDF stands for its pages. A `Source`
    stays as it is. Pictures that are not files are called `image 0`, `image 1`, … by their place
    among the inputs.

    Raises:
        DataError: nothing at all was given or matched. Where some of several inputs match
            nothing, those come back with `error` set.
    """
    if not _is_one(inputs) and not (
        isinstance(inputs, Iterable) and not isinstance(inputs, Mapping)
    ):
        raise DataError(
            f"a {type(inputs).__name__} is no picture; give {ACCEPTED}, or a list of them"
        )
    items: list[Any] = [inputs] if _is_one(inputs) else list(inputs)  # type: ignore[arg-type]
    sources: list[Source] = []
    for position, item in enumerate(items):
        if isinstance(item, Source):
            sources.append(item)
        elif isinstance(item, str | os.PathLike):
            sources += _expand_path(os.fspath(item))
        else:
            sources.append(_in_memory(item, position))
    if not sources:
        raise DataError("there is nothing to predict: no input was given")
    if all(source.value is None for source in sources):
        raise DataError("; ".join(str(source.error) for source in sources))
    return tuple(sources)


def _is_one(inputs: Inputs) -> bool:
    """Whether this is a single input; a PIL image is told by what an iterable lacks."""
    one = (str, os.PathLike, np.ndarray, bytes, bytearray, memoryview, Source)
    return isinstance(inputs, one) or hasattr(inputs, "getbands") or hasattr(inputs, "read")


def _in_memory(item: object, position: int) -> Source:
    """A picture that is no path; an open file is read here, once."""
    name = _image_name(item, position)
    if hasattr(item, "read") and not hasattr(item, "getbands"):
        try:
            item = item.read()
        except (OSError, ValueError) as error:
            return Source(name, error=f"{name} cannot be read: {error}")
    usable = isinstance(item, np.ndarray | bytes | bytearray | memoryview)
    if usable or hasattr(item, "getbands"):
        return Source(name, item)
    return Source(name, error=f"{name}: {type(item).__name__} is no picture; give {ACCEPTED}")


def _expand_path(name: str) -> list[Source]:
    name = os.path.expanduser(name)  # noqa: PTH111 - names stay as given, and a pattern's `./` too
    path = Path(name)
    if path.is_dir():
        there = [file for file in path.iterdir() if _is_file(file)]
        kind = "folder"
    elif glob.has_magic(name) and not path.exists():
        matches = map(Path, glob.glob(name, recursive=True))  # noqa: PTH207
        there = [file for file in matches if _is_file(file)]
        kind = "pattern"
    elif is_pdf(path):
        return _pages(name, path)
    else:
        return [Source(name, path)]
    found = sorted(file for file in there if is_picture(file))
    if not found:
        hint = "" if kind == "pattern" else f"; for its subfolders give '{path / '**' / '*'}'"
        why = f"looked for .jpg, .png and the like, found {kinds_found(there)}{hint}"
        return [Source(name, error=f"no image in {kind} {name} ({why})")]
    return [Source(str(path), path) for path in found]


def _is_file(path: Path) -> bool:
    """Whether it is a file, or a link to nothing: what was meant is told with the input's name."""
    return path.is_file() or (path.is_symlink() and not path.exists())


def _pages(name: str, path: Path) -> list[Source]:
    """The pages of a PDF, each by its number: `NAME#1`."""
    try:
        return [Source(f"{name}#{page.number}", page) for page in pdf_pages(path)]
    except DataError as error:
        return [Source(name, error=str(error))]


def _image_name(item: object, position: int) -> str:
    """The file that a PIL image or an open file is of, else its place among the inputs."""
    for known in (getattr(item, "filename", None), getattr(item, "name", None)):
        if isinstance(known, str) and known:
            return known
    return f"image {position}"
