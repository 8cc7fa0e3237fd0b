"""From what the user names, files, folders, patterns, pictures, to a flat list of inputs."""

from __future__ import annotations

import glob
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np

from zoohub.errors import DataError
from zoohub.vision.image import IMAGE_SUFFIXES, Picture

Inputs: TypeAlias = "Picture | Iterable[Picture]"


@dataclass(frozen=True, slots=True)
class Source:
    """One input: its name in the results, and its picture or what is wrong with it."""

    name: str
    picture: Picture | None = None
    error: str | None = None


def expand_inputs(inputs: Inputs) -> tuple[Source, ...]:
    """Expand folders and patterns; keep the order in which the inputs were named.

    A folder stands for the image files directly in it, a pattern (`*`, `?`, `[…]`, `**`) for the
    image files it matches, both sorted by name and without hidden files. A file named outright is
    kept whatever its suffix, and tried. Pictures that are not files are called `image 0`,
    `image 1`, … by their place among the inputs.

    Raises:
        DataError: nothing at all was given or matched. Where some of several inputs match
            nothing, those come back with `error` set.
    """
    items: list[Picture] = [inputs] if _is_one(inputs) else list(inputs)  # type: ignore[list-item,arg-type]
    sources: list[Source] = []
    for position, item in enumerate(items):
        if isinstance(item, str | Path):
            sources += _expand_path(str(item))
        else:
            sources.append(Source(_image_name(item, position), item))
    if not sources:
        raise DataError("there is nothing to predict: no input was given")
    if all(source.picture is None for source in sources):
        raise DataError("; ".join(str(source.error) for source in sources))
    return tuple(sources)


def _is_one(inputs: Inputs) -> bool:
    """Whether this is a single input; a PIL image is told by what an iterable lacks."""
    return isinstance(inputs, str | Path | np.ndarray) or hasattr(inputs, "getbands")


def _expand_path(name: str) -> list[Source]:
    path = Path(name)
    if path.is_dir():
        found = _images(path.iterdir())
        kind = "folder"
    elif glob.has_magic(name) and not path.exists():
        found = _images(Path(match) for match in glob.glob(name, recursive=True))  # noqa: PTH207
        kind = "pattern"
    else:
        return [Source(name, path)]
    if not found:
        suffixes = " ".join(sorted(IMAGE_SUFFIXES))
        hint = "" if kind == "pattern" else f"; for its subfolders give '{path / '**' / '*'}'"
        return [Source(name, error=f"no image in {kind} {name} (looked for {suffixes}{hint})")]
    return [Source(str(path), path) for path in found]


def _images(paths: Iterable[Path]) -> list[Path]:
    return sorted(
        path
        for path in paths
        if path.suffix.lower() in IMAGE_SUFFIXES
        and not path.name.startswith(".")
        and path.is_file()
    )


def _image_name(item: Picture, position: int) -> str:
    """The file that a PIL image was opened from, else its place among the inputs."""
    return str(getattr(item, "filename", "") or f"image {position}")
