"""Where drawings go."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from zoohub.errors import DataError
from zoohub.inputs.picture.kinds import IMAGE_SUFFIXES
from zoohub.inputs.source import Source

_PAGE = re.compile(r"\.pdf#(\d+)$", re.IGNORECASE)


def drawing_paths(
    sources: Sequence[Source], save: Path, suffix: str | None = None
) -> tuple[Path, ...]:
    """Where each input's drawing goes: no two to one file, none over an input.

    One input and a `save` with an image suffix: that file. Else `save` is a folder, and the
    drawings are called like their inputs (`-1`, `-2`, … where a name is taken), with `suffix`; None
    is PNG where the input is not a JPEG.

    Raises:
        DataError: `save` is a file name but there are several inputs, or a drawing would overwrite
            an input.
    """
    if save.suffix.lower() in IMAGE_SUFFIXES and not save.is_dir():
        if len(sources) > 1:
            raise DataError(f"{save} is one file for {len(sources)} inputs; name a folder instead")
        paths: tuple[Path, ...] = (save,)
    else:
        paths = tuple(save / name for name in _free_names(sources, suffix))
    inputs = {source.value.resolve() for source in sources if isinstance(source.value, Path)}
    overwritten = next((path for path in paths if path.resolve() in inputs), None)
    if overwritten is not None:
        raise DataError(f"the drawing {overwritten} would overwrite an input; save it elsewhere")
    return paths


def _free_names(sources: Sequence[Source], wanted: str | None) -> tuple[str, ...]:
    # Lower case -> name: some file systems do not tell Cat.jpg from cat.jpg. Ordered as inserted.
    taken: dict[str, str] = {}
    for source in sources:
        original = Path(source.name)
        same = ".jpg" if original.suffix.lower() in (".jpg", ".jpeg") else ".png"
        suffix = wanted or same
        stem = original.stem or "image"
        if page := _PAGE.search(source.name):  # of a PDF: FILE.pdf#2 is drawn as FILE-2.png
            stem = f"{stem}-{page[1]}"
        name, count = stem + suffix, 0
        while name.lower() in taken:
            count += 1
            name = f"{stem}-{count}{suffix}"
        taken[name.lower()] = name
    return tuple(taken.values())
