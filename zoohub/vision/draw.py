"""Boxes, names and scores drawn on a picture, legibly."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoohub.errors import DataError
from zoohub.vision.image import Picture, read_image

if TYPE_CHECKING:
    from PIL import Image, ImageDraw

Box = tuple[float, float, float, float]
Rgb = tuple[int, int, int]

_GOLDEN_RATIO = 0.618034  # steps of it around the colour wheel keep neighbours apart


def class_colour(index: int) -> Rgb:
    """A strong colour for a class; neighbouring indices get contrasting ones."""
    hue = (index * _GOLDEN_RATIO) % 1
    red, green, blue = colorsys.hsv_to_rgb(hue, 0.85, 0.95 if index % 2 == 0 else 0.7)
    return round(red * 255), round(green * 255), round(blue * 255)


def text_colour(background: Rgb) -> Rgb:
    """Black or white, whichever reads better on that colour (by ITU-R BT.601 luma)."""
    red, green, blue = background
    return (0, 0, 0) if 0.299 * red + 0.587 * green + 0.114 * blue > 127 else (255, 255, 255)


def draw_boxes(
    picture: Picture,
    boxes: Sequence[Box],
    labels: Sequence[str],
    scores: Sequence[float],
    classes: Sequence[int],
) -> Image.Image:
    """A copy of the picture with boxes drawn on it.

    `boxes` are `(x1, y1, x2, y2)` in pixels of the upright picture, the best first: it is drawn
    last, on top. Lines and letters grow with the picture.

    Raises:
        DataError: the picture cannot be read.
    """
    from PIL import Image, ImageDraw, ImageFont

    image = Image.fromarray(read_image(picture))
    canvas = ImageDraw.Draw(image)
    side = min(image.size)
    width = max(2, round(side / 200))
    font = ImageFont.load_default(size=max(11, round(side / 32)))
    entries = list(zip(boxes, labels, scores, classes, strict=True))
    for box, _, _, index in reversed(entries):
        left, top, right, bottom = box
        canvas.rectangle(
            (left, top, max(left, right), max(top, bottom)),
            outline=class_colour(index),
            width=width,
        )
    for box, label, score, index in reversed(entries):  # no box crosses another's caption
        _draw_caption(canvas, image.size, box, f"{label} {score:.2f}", class_colour(index), font)
    return image


def save_image(image: Image.Image, path: Path) -> Path:
    """Write the image in the format that the file's suffix names, and return where.

    Raises:
        DataError: the suffix names no image format, or the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        image.save(path, quality=92)  # only JPEG and WebP look at the quality
    except ValueError:
        raise DataError(f"{path}: give the picture a suffix such as .png or .jpg") from None
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error}") from None
    return path


def _draw_caption(
    canvas: ImageDraw.ImageDraw, size: tuple[int, int], box: Box, text: str, colour: Rgb, font: Any
) -> None:
    """The text on a patch of the box's colour: above the box, or inside it at the picture's top."""
    left, top, right, bottom = canvas.textbbox((0, 0), text, font=font)
    margin = max(2, round((bottom - top) / 5))
    width, height = right - left + 2 * margin, bottom - top + 2 * margin
    x = max(0, min(box[0], size[0] - width))
    y = box[1] - height if box[1] >= height else max(0, min(box[1], size[1] - height))
    canvas.rectangle((x, y, x + width, y + height), fill=colour)
    canvas.text((x + margin - left, y + margin - top), text, fill=text_colour(colour), font=font)
