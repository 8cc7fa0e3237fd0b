"""A table's cells drawn on its picture, numbered in the order in which the structure has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from zoohub.inputs.picture import Picture, read_image
from zoohub.tasks.pictures import class_colour, text_colour
from zoohub.tasks.table_recognition.interpret import Table

if TYPE_CHECKING:
    from PIL import Image


def draw_cells(picture: Picture, tables: Sequence[Table]) -> Image.Image:
    """A copy of the picture with the boxes and numbers of cells.

    Raises:
        DataError: the picture cannot be read.
    """
    from PIL import Image, ImageDraw, ImageFont

    image = Image.fromarray(read_image(picture))
    canvas = ImageDraw.Draw(image)
    side = min(image.size)
    font = ImageFont.load_default(size=max(9, round(side / 45)))
    for table in tables:
        for number, cell in enumerate(table.cells):
            colour = class_colour(number)
            x1, y1, x2, y2 = cell.box
            canvas.rectangle((x1, y1, x2, y2), outline=colour, width=max(1, round(side / 400)))
            spot = canvas.textbbox((x1, y1), str(number + 1), font=font, anchor="lt")
            canvas.rectangle(spot, fill=colour)
            canvas.text((x1, y1), str(number + 1), fill=text_colour(colour), font=font, anchor="lt")
    return image
