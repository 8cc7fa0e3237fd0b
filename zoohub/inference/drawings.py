"""Where the drawings of detections go, and writing them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from zoohub.errors import DataError
from zoohub.inference.inputs import Source
from zoohub.inference.results import Label
from zoohub.vision.draw import draw_boxes, save_image
from zoohub.vision.image import IMAGE_SUFFIXES, Picture


def drawing_paths(sources: Sequence[Source], save: Path) -> tuple[Path, ...]:
    """Where each input's drawing goes: no two to one file, none over an input.

    One input and a `save` with an image suffix: that file. Else `save` is a folder, and the
    drawings are called like their inputs (`-1`, `-2`, … where a name is taken), as PNG where the
    input is not a JPEG.

    Raises:
        DataError: `save` is a file name but there are several inputs, or a drawing would overwrite
            an input.
    """
    if save.suffix.lower() in IMAGE_SUFFIXES and not save.is_dir():
        if len(sources) > 1:
            raise DataError(f"{save} is one file for {len(sources)} inputs; name a folder instead")
        paths: tuple[Path, ...] = (save,)
    else:
        paths = tuple(save / name for name in _free_names(sources))
    inputs = {source.picture.resolve() for source in sources if isinstance(source.picture, Path)}
    overwritten = next((path for path in paths if path.resolve() in inputs), None)
    if overwritten is not None:
        raise DataError(f"the drawing {overwritten} would overwrite an input; save it elsewhere")
    return paths


def save_drawing(picture: Picture, labels: Sequence[Label], path: Path) -> None:
    """Write the picture with its boxes to `path`.

    Raises:
        DataError: the picture cannot be read or the file not be written.
    """
    boxed = [(label, label.box) for label in labels if label.box is not None]
    image = draw_boxes(
        picture,
        [box for _, box in boxed],
        [label.label for label, _ in boxed],
        [label.score for label, _ in boxed],
        [label.index for label, _ in boxed],
    )
    save_image(image, path)


def _free_names(sources: Sequence[Source]) -> tuple[str, ...]:
    # Lower case -> name: some file systems do not tell Cat.jpg from cat.jpg. Ordered as inserted.
    taken: dict[str, str] = {}
    for source in sources:
        original = Path(source.name)
        suffix = ".jpg" if original.suffix.lower() in (".jpg", ".jpeg") else ".png"
        stem = original.stem or "image"
        name, count = stem + suffix, 0
        while name.lower() in taken:
            count += 1
            name = f"{stem}-{count}{suffix}"
        taken[name.lower()] = name
    return tuple(taken.values())
