"""Masks: each pixel of a picture's class, as an array, a file, or polygons."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import UnidentifiedImageError

from zoohub.errors import DataError
from zoohub.inputs.picture.limits import check_size, open_limited
from zoohub.tasks.samples import Samples

ClassIndices: TypeAlias = NDArray[np.uint8]  # (height, width); IGNORED where nothing is said
IGNORED = 255
MOST_CLASSES = 255


@dataclass(frozen=True)
class Shapes:
    """A picture's objects, drawn in order: (class index, COCO's segmentation), in a picture of
    `size` (height, width). What no object covers is class 0; crowds are not counted."""

    size: tuple[int, int]
    objects: tuple[tuple[int, object], ...]
    crowds: tuple[object, ...] = ()


@dataclass(frozen=True)
class Mask:
    """What is true of a picture's pixels.

    `source` is an array of class indices, a file of them (a palette's or grey values), or shapes.
    `values` says which class a value of the source is, None: each is itself.
    """

    source: ClassIndices | Path | Shapes
    values: tuple[int, ...] | None = None

    def read(self) -> ClassIndices:
        """The class of each pixel.

        Raises:
            DataError: the file cannot be read, or has colours where class indices are needed.
        """
        if isinstance(self.source, Path):
            found = read_mask(self.source)
        elif isinstance(self.source, Shapes):
            found = drawn_shapes(self.source)
        else:
            found = self.source
        if self.values is None:
            return found
        table = np.array(self.values, np.uint8)
        return table[found]

    def renumbered(self, places: NDArray[np.int64]) -> Mask:
        """The same with class i as class `places[i]`."""
        before = np.arange(256) if self.values is None else np.array(self.values)
        moved = np.full(256, IGNORED)
        moved[: len(places)] = places
        moved[IGNORED] = IGNORED
        return Mask(self.source, tuple(int(value) for value in moved[before]))


MaskSamples: TypeAlias = Samples[Mask]


def pixel_counts(samples: MaskSamples, classes: int) -> NDArray[np.int64]:
    """How many pixels each class has in all; masks that cannot be read have none."""
    counts = np.zeros(256, np.int64)
    for mask in samples.targets:
        try:
            counts += np.bincount(mask.read().ravel(), minlength=256)
        except DataError:  # counted where it is trained on
            continue
    return counts[:classes]


def read_mask(path: Path) -> ClassIndices:
    """The values of a mask's file: places in its palette, or grey levels (8 or 16 bits, 0 to 255).

    Raises:
        DataError: it cannot be read, or its pixels are colours.
    """
    try:
        with open_limited(path) as image:
            check_size(image, str(path))
            if image.mode == "1":
                return np.asarray(image.convert("L"), np.uint8)
            if image.mode in ("P", "L"):
                return np.asarray(image, np.uint8)
            if image.mode.startswith("I"):
                deep = np.asarray(image)
                if deep.size and (deep.min() < 0 or deep.max() > 255):
                    raise DataError(f"{path}: a class index is outside 0 to 255")
                return deep.astype(np.uint8)
            pixels = np.asarray(image.convert("RGB"))
    except (OSError, UnidentifiedImageError, ValueError, SyntaxError) as error:
        raise DataError(f"{path}: this mask cannot be read: {error}") from None
    if (pixels == pixels[..., :1]).all():
        return np.ascontiguousarray(pixels[..., 0])
    raise DataError(
        f"{path}: a mask holds class indices, as a palette's places or grey levels; this one has "
        "colours: convert it, e.g. with Pillow's Image.quantize and the palette of your classes"
    )


def drawn_shapes(shapes: Shapes) -> ClassIndices:
    """Shapes as the class of each pixel; a later one covers an earlier one.

    Raises:
        DataError: pycocotools is not installed, or a shape is not COCO's.
    """
    try:
        from pycocotools import mask as coco
    except ImportError:
        raise DataError("COCO's masks need pycocotools: pip install 'zoohub[detection]'") from None
    height, width = shapes.size
    result = np.zeros(shapes.size, np.uint8)
    covers = [*((index, shape) for index, shape in shapes.objects),
              *((IGNORED, shape) for shape in shapes.crowds)]  # fmt: skip
    for index, shape in covers:
        try:
            if isinstance(shape, list):
                codes = coco.merge(coco.frPyObjects(shape, height, width))
            elif isinstance(shape, dict) and isinstance(shape.get("counts"), list):
                codes = coco.frPyObjects(shape, height, width)
            else:
                codes = shape
            inside = coco.decode(codes).astype(bool)
        except Exception as error:  # pycocotools raises whatever its C code meets
            raise DataError(f"a segmentation is neither polygons nor a run-length mask: {error}")\
                from None  # fmt: skip
        if inside.shape != shapes.size:
            raise DataError(f"a run-length mask of {inside.shape} in a picture of {shapes.size}")
        result[inside] = index
    return result


def resize_mask(mask: ClassIndices, height: int, width: int) -> ClassIndices:
    """The mask in another size: each pixel takes the class at its centre."""
    if mask.shape == (height, width):
        return mask
    rows = np.minimum(((np.arange(height) + 0.5) * mask.shape[0] / height).astype(int),
                      mask.shape[0] - 1)  # fmt: skip
    columns = np.minimum(((np.arange(width) + 0.5) * mask.shape[1] / width).astype(int),
                         mask.shape[1] - 1)  # fmt: skip
    return mask[rows[:, None], columns[None]]
