"""Class maps to look at: as a palette's picture, and over the picture they are of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from zoohub.inputs.picture import Picture, read_image
from zoohub.tasks.pictures import class_colour
from zoohub.tasks.segmentation.interpret import Region
from zoohub.tasks.segmentation.masks import IGNORED, ClassIndices

if TYPE_CHECKING:
    from PIL import Image

_OPAQUE = 0.55


def map_of(regions: Sequence[Region], size: tuple[int, int]) -> ClassIndices:
    """The class of each pixel, 255 where no region is."""
    indices = np.full(size, IGNORED, np.uint8)
    for region in regions:
        indices[region.mask] = region.index
    return indices


def palette_picture(indices: ClassIndices) -> Image.Image:
    """A picture whose values are the class indices, with a colour for each; class 0 is black."""
    from PIL import Image

    image = Image.fromarray(indices, "P")
    colours = [(0, 0, 0), *(class_colour(index) for index in range(1, 255)), (255, 255, 255)]
    image.putpalette([value for colour in colours for value in colour])
    return image


def overlay(picture: Picture, indices: ClassIndices) -> Image.Image:
    """The upright picture with each class but the first in its colour over it."""
    from PIL import Image

    pixels = read_image(picture).astype(np.float32)
    colours = np.asarray(palette_picture(indices).convert("RGB"), np.float32)
    shown = ((indices != 0) & (indices != IGNORED))[..., None]
    mixed = np.where(shown, pixels * (1 - _OPAQUE) + colours * _OPAQUE, pixels)
    return Image.fromarray(mixed.round().astype(np.uint8))
