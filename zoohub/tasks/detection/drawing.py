"""Boxes, names and scores drawn on a picture, legibly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from zoohub.inputs.picture import Picture, read_image
from zoohub.tasks.pictures import Rgb, class_colour, text_colour
from zoohub.tasks.results import Box, Label

if TYPE_CHECKING:
    from PIL import Image, ImageDraw, ImageFont


def draw_boxes(picture: Picture, labels: Sequence[Label]) -> Image.Image:
    """A copy of the picture with the labels' boxes drawn on it.

    Boxes are in pixels of the upright picture, the best first: it is drawn last, on top. Lines
    and letters grow with the picture.

    Raises:
        DataError: the picture cannot be read.
    """
    from PIL import Image, ImageDraw, ImageFont

    image = Image.fromarray(_with_masks(read_image(picture), labels))
    canvas = ImageDraw.Draw(image)
    side = min(image.size)
    width = max(2, round(side / 200))
    font = ImageFont.load_default(size=max(11, round(side / 32)))
    boxed = [(label, label.box) for label in labels if label.box is not None]
    for label, (left, top, right, bottom) in reversed(boxed):
        canvas.rectangle(
            (left, top, max(left, right), max(top, bottom)),
            outline=class_colour(label.index),
            width=width,
        )
        for x, y in label.landmarks or ():
            spot = (x - width, y - width, x + width, y + width)
            canvas.ellipse(spot, fill=class_colour(label.index))
    for label, box in reversed(boxed):  # no box crosses another's caption
        text = f"{label.label} {label.score:.2f}"
        _draw_caption(canvas, image.size, box, text, class_colour(label.index), font)
    return image


def _with_masks(pixels: NDArray[np.uint8], labels: Sequence[Label]) -> NDArray[np.uint8]:
    """The picture with the labels' masks in their classes' colours, the best one's on top."""
    tinted = pixels.copy()
    for label in reversed(labels):
        if label.mask is not None:
            inside = label.mask.pixels()
            colour = np.array(class_colour(label.index), np.float32)
            tinted[inside] = (0.5 * pixels[inside] + 0.5 * colour).astype(np.uint8)
    return tinted


def _draw_caption(
    canvas: ImageDraw.ImageDraw,
    size: tuple[int, int],
    box: Box,
    text: str,
    colour: Rgb,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
) -> None:
    """The text on a patch of the box's colour: above the box, or inside it at the picture's top."""
    left, top, right, bottom = canvas.textbbox((0, 0), text, font=font)
    margin = max(2, round((bottom - top) / 5))
    width, height = right - left + 2 * margin, bottom - top + 2 * margin
    x = max(0, min(box[0], size[0] - width))
    y = box[1] - height if box[1] >= height else max(0, min(box[1], size[1] - height))
    canvas.rectangle((x, y, x + width, y + height), fill=colour)
    canvas.text((x + margin - left, y + margin - top), text, fill=text_colour(colour), font=font)
