"""Training pictures of a segmenter: read, scaled, cut, mirrored and recoloured with their masks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from zoohub.errors import DataError
from zoohub.inputs.picture.image import read_image
from zoohub.inputs.picture.pixels import normalise
from zoohub.inputs.picture.resize import resize
from zoohub.manifest.entry import InputContract
from zoohub.tasks.contract import Note, Random, TrainingRow
from zoohub.tasks.pictures import first_readable, recoloured
from zoohub.tasks.segmentation.masks import IGNORED, ClassIndices, MaskSamples, resize_mask
from zoohub.tasks.segmentation.recipe import MaskAugment

Pixels = NDArray[np.uint8]


class TrainingMasks:
    """The network's input and the class of each of its pixels, randomly changed."""

    def __init__(self, samples: MaskSamples, contract: InputContract, augment: MaskAugment) -> None:
        assert contract.size is not None
        self.samples, self.contract, self.augment = samples, contract, augment
        self.size = contract.size

    def __call__(self, place: int, random: Random, note: Note, epoch: int) -> TrainingRow:
        """See `TrainingRows`: `image` (C, H, W) and `classes` (H, W), 255 where none is said."""
        _, (pixels, mask) = first_readable(self.samples.names, place, note, self._read)
        pixels, mask = cut(pixels, mask, self.size, random.uniform(*self.augment.scale), random)
        if self.augment.flip and random.random() < self.augment.flip:
            pixels, mask = pixels[:, ::-1], mask[:, ::-1]
        if self.augment.upside_down and random.random() < self.augment.upside_down:
            pixels, mask = pixels[::-1], mask[::-1]
        pixels = recoloured(pixels, self.augment.colour, random)
        image = normalise(np.ascontiguousarray(pixels), self.contract)
        return TrainingRow({"image": image}, {"classes": mask.astype(np.int32)})

    def _read(self, place: int) -> tuple[Pixels, ClassIndices]:
        pixels = read_image(self.samples.inputs[place], self.contract.colour)  # type: ignore[arg-type]
        mask = self.samples.targets[place].read()
        if mask.shape != pixels.shape[:2]:
            raise DataError(
                f"{self.samples.names[place]}: the mask has {mask.shape[1]}×{mask.shape[0]} "
                f"pixels, the picture {pixels.shape[1]}×{pixels.shape[0]}"
            )
        return pixels, mask


def cut(
    pixels: Pixels, mask: ClassIndices, size: tuple[int, int], scale: float, random: Random
) -> tuple[Pixels, ClassIndices]:
    """A piece of the input's size out of the picture, which covers it `scale` times.

    At scale 1 all of the picture is stretched onto the input, as in prediction. A smaller picture
    lies somewhere in the input, the rest of which is black and ignored.
    """
    height, width = (max(1, round(side * scale)) for side in size)
    pixels = resize(pixels, height, width, "bilinear")
    mask = resize_mask(mask, height, width)
    out = np.zeros((*size, pixels.shape[2]), np.uint8)
    classes = np.full(size, IGNORED, np.uint8)
    (top, down, rows), (left, right, columns) = (
        _place(own, wanted, random) for own, wanted in zip((height, width), size, strict=True)
    )
    here = (slice(down, down + rows), slice(right, right + columns))
    there = (slice(top, top + rows), slice(left, left + columns))
    out[here], classes[here] = pixels[there], mask[there]
    return out, classes


def _place(own: int, wanted: int, random: Random) -> tuple[int, int, int]:
    """Where along one side a piece begins, where it is put, and how long it is."""
    length = min(own, wanted)
    start = int(random.integers(own - length + 1))
    return start, int(random.integers(wanted - length + 1)), length
