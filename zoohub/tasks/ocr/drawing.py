"""A read page drawn: the lines' outlines, numbered in the order in which they are read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from zoohub.inputs.picture import Picture, read_image
from zoohub.tasks.ocr.results import TextLine
from zoohub.tasks.pictures import class_colour, number_at

if TYPE_CHECKING:
    from PIL import Image


def draw_lines(picture: Picture, lines: Sequence[TextLine]) -> Image.Image:
    """A copy of the picture with the lines' outlines and numbers.

    Raises:
        DataError: the picture cannot be read.
    """
    from PIL import Image, ImageDraw, ImageFont

    image = Image.fromarray(read_image(picture))
    canvas = ImageDraw.Draw(image)
    side = min(image.size)
    font = ImageFont.load_default(size=max(12, round(side / 45)))
    for number, line in enumerate(lines):
        width = max(1, round(side / 500))
        canvas.polygon(line.polygon, outline=class_colour(number), width=width)
        number_at(canvas, line.polygon[0], number, font, "rb")
    return image
