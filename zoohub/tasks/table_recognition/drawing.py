"""A table's cells drawn on its picture, numbered in the order in which the structure has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from zoohub.inputs.picture import Picture, read_image
from zoohub.tasks.pictures import class_colour, number_at
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
            width = max(1, round(side / 400))
            canvas.rectangle(cell.box, outline=class_colour(number), width=width)
            number_at(canvas, cell.box[:2], number, font, "lt")
    return image
