"""Outlines of text drawn on a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from zoohub.inputs.picture import Picture, read_image
from zoohub.tasks.pictures import Rgb
from zoohub.tasks.text_detection.interpret import TextArea

if TYPE_CHECKING:
    from PIL import Image

FOUND: Rgb = (220, 30, 60)


def draw_texts(picture: Picture, areas: Sequence[TextArea], colour: Rgb = FOUND) -> Image.Image:
    """A copy of the picture with outlines, whose lines grow with it, their first corners marked.

    Raises:
        DataError: the picture cannot be read.
    """
    from PIL import Image, ImageDraw

    image = Image.fromarray(read_image(picture))
    canvas = ImageDraw.Draw(image)
    width = max(2, round(min(image.size) / 300))
    for area in reversed(areas):  # the best one on top
        canvas.line([*area.polygon, area.polygon[0]], fill=colour, width=width, joint="curve")
        x, y = area.polygon[0]
        canvas.ellipse((x - width, y - width, x + width, y + width), fill=colour)
    return image
