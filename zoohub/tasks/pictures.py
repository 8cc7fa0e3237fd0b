"""What the tasks that look at pictures share."""

from __future__ import annotations

import colorsys
import io
import os
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from zoohub.core.atomic import replacing
from zoohub.core.counting import plural
from zoohub.errors import DataError
from zoohub.inputs.picture import Picture, Transform
from zoohub.manifest.entry import InputContract
from zoohub.tasks.contract import Note, Random, Row

if TYPE_CHECKING:
    from PIL import Image, ImageDraw, ImageFont

Rgb = tuple[int, int, int]
P = TypeVar("P")

_GOLDEN_RATIO = 0.618034  # steps of it around the colour wheel keep neighbours apart


def picture_rows(contract: InputContract) -> Callable[[Picture], tuple[Row, ...]]:
    """What makes a picture the one row `image`, with its `Geometry`.

    Raises:
        DataError: the contract is incomplete; when called: the picture cannot be read.
    """
    transform = Transform(contract)

    def prepare(picture: Picture) -> tuple[Row, ...]:
        prepared = transform.prepare(picture)
        return (Row({"image": prepared.array}, prepared.geometry),)

    return prepare


def first_readable(
    names: Sequence[str],
    place: int,
    note: Note,
    read: Callable[[int], P],
    sample: str = "picture",
) -> tuple[int, P]:
    """The sample at `place`, or the first readable one after it, and its place.

    `note` is told of those that cannot be read; `sample` is what one is called.

    Raises:
        DataError: none can.
    """
    count = len(names)
    first: DataError | None = None
    for candidate in (*range(place, count), *range(place)):
        try:
            return candidate, read(candidate)
        except DataError as error:
            note(names[candidate], str(error))
            first = first or error
    said = plural(
        count, f"the one training {sample} cannot", f"none of the {count} training {sample}s can"
    )
    raise DataError(f"{said} be read: {first}")


def recoloured(pixels: NDArray[np.uint8], most: float, random: Random) -> NDArray[np.uint8]:
    """Brightness and contrast changed by up to that part of themselves."""
    if not most:
        return pixels
    contrast, brightness = random.uniform(1 - most, 1 + most, 2)
    levels = (np.arange(256, dtype=np.float32) - 128) * contrast + 128 * brightness
    return np.clip(levels, 0, 255).astype(np.uint8)[pixels]


def class_colour(index: int) -> Rgb:
    """A strong colour for a class; neighbouring indices get contrasting ones."""
    hue = (index * _GOLDEN_RATIO) % 1
    red, green, blue = colorsys.hsv_to_rgb(hue, 0.85, 0.95 if index % 2 == 0 else 0.7)
    return round(red * 255), round(green * 255), round(blue * 255)


def text_colour(background: Rgb) -> Rgb:
    """Black or white, whichever reads better on that colour (by ITU-R BT.601 luma)."""
    red, green, blue = background
    return (0, 0, 0) if 0.299 * red + 0.587 * green + 0.114 * blue > 127 else (255, 255, 255)


def number_at(
    canvas: ImageDraw.ImageDraw,
    corner: tuple[float, float],
    number: int,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    anchor: str,
) -> None:
    """Write a number, from 0, as people count, on a patch of its colour; `anchor` is Pillow's: how
    the patch lies to `corner`."""
    colour, text = class_colour(number), str(number + 1)
    canvas.rectangle(canvas.textbbox(corner, text, font=font, anchor=anchor), fill=colour)
    canvas.text(corner, text, fill=text_colour(colour), font=font, anchor=anchor)


def save_image(image: Image.Image, path: Path) -> Path:
    """Write the image, whole or not at all, in the format that the file's suffix names, and return
    where.

    Raises:
        DataError: the suffix names no image format, or the file cannot be written.
    """
    from PIL import Image

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        kind = Image.registered_extensions()[path.suffix.lower()]
        target = path.resolve()  # a link stays one, and what it leads to keeps its mode
        mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else None
        with replacing(target, durable=False) as file:
            image.save(file, kind, quality=92)  # only JPEG and WebP look at the quality
            if mode is not None:
                os.chmod(file.name if os.name == "nt" else file.fileno(), mode)  # noqa: PTH101
    except (KeyError, ValueError):
        raise DataError(f"{path}: give the picture a suffix such as .png or .jpg") from None
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error.strerror or error}") from None
    return path


def encoded(image: Image.Image, *, quality: int = 75) -> tuple[bytes, str]:
    """A picture for a page, and its kind: PNG where it is small, else JPEG."""
    out = io.BytesIO()
    small = image.width <= 64
    image.save(out, "PNG" if small else "JPEG", quality=quality)
    return out.getvalue(), "png" if small else "jpeg"
