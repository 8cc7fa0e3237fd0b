"""Where drawings go."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from zoohub.errors import DataError, UsageError
from zoohub.inputs.picture.kinds import IMAGE_SUFFIXES
from zoohub.inputs.source import Source
from zoohub.tasks.contract import AnyTask
from zoohub.tasks.finding import all_tasks

_PAGE = re.compile(r"\.pdf#(\d+)$", re.IGNORECASE)


def check_drawing(task: AnyTask) -> None:
    """That drawings are made of a task's results. Raises UsageError: they are not."""
    if task.drawings is None:
        *most, last = [other.drawings for other in all_tasks() if other.drawings]
        drawn = f"{', '.join(most)} and {last}"
        raise UsageError(f"drawings are made of {drawn}; this model's task is {task.name}")


def drawing_paths(
    sources: Sequence[Source], save: Path, suffix: str | None = None, *, folder: bool = False
) -> tuple[Path, ...]:
    """Where each input's drawing goes: no two to one file, none over an input.

    One input and a `save` with an image suffix: that file. Else `save` is a folder, and the
    drawings are called like their inputs (`-1`, `-2`, … where a name is taken), with `suffix`; None
    is PNG where the input is not a JPEG. `folder` says that it is one, whatever its name.

    Raises:
        DataError: `save` is a file name but there are several inputs, or of no picture, or a
            drawing would overwrite an input.
    """
    folder = folder or save.is_dir()
    if save.suffix and save.suffix.lower() not in IMAGE_SUFFIXES and not folder:
        if len(sources) == 1:
            raise DataError(
                f"{save}: no picture ends in {save.suffix}; name it .png or .jpg, or a folder: "
                f"{save}{os.sep}"
            )
        folder = True
    if save.suffix and not folder:
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
