"""Training pictures of a classifier: read, resized or cropped, randomly changed, normalised."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from zoohub.inputs.picture import Transform
from zoohub.inputs.picture.image import open_image
from zoohub.inputs.picture.pixels import normalise
from zoohub.manifest.entry import InputContract
from zoohub.tasks.classification.augment import change, random_crop
from zoohub.tasks.classification.recipe import Augment
from zoohub.tasks.contract import Note, Random, TrainingRow
from zoohub.tasks.pictures import first_readable
from zoohub.tasks.samples import Samples


class TrainingPictures:
    """Pictures with the recipe's random changes; without any, as `zoohub.predict` prepares them.

    Small pictures given as arrays are resized once and kept.
    """

    def __init__(self, samples: Samples[int], contract: InputContract, augment: Augment) -> None:
        self.samples, self.contract, self.augment = samples, contract, augment
        # The contract's own resizing, with the pixels left as they are.
        raw = dataclasses.replace(
            contract, value_range="0..255", mean=None, std=None, layout="NHWC"
        )
        self._raw = Transform(raw)
        self._resized = {
            place: self._resize(image)
            for place, image in enumerate(samples.inputs)
            if isinstance(image, np.ndarray) and augment.area is None
        }

    def __call__(self, place: int, random: Random, note: Note, epoch: int) -> TrainingRow:
        """See `TrainingRows`: `image` (C, H, W) and its `label`."""
        place, image = first_readable(self.samples.names, place, note, self._read)
        if self.augment.area is not None:
            image = random_crop(image, self.contract, self.augment, random)
        pixels = np.asarray(change(image, self.augment, random))
        if self.contract.colour == "BGR":
            pixels = pixels[:, :, ::-1]
        label = np.array(self.samples.targets[place], np.int64)
        return TrainingRow({"image": normalise(pixels, self.contract)}, {"label": label})

    def _read(self, place: int) -> Image.Image:
        image = self.samples.inputs[place]
        assert isinstance(image, Path | np.ndarray)
        if self.augment.area is not None:
            return self._open(image, self.augment.area)
        return self._resized[place] if place in self._resized else self._resize(image)

    def _resize(self, image: Path | NDArray[np.uint8]) -> Image.Image:
        pixels = self._raw(image).astype(np.uint8)
        if self.contract.colour == "BGR":
            pixels = pixels[:, :, ::-1]
        return Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)

    def _open(self, image: Path | NDArray[np.uint8], area: tuple[float, float]) -> Image.Image:
        """The picture as Pillow has it, which crops and resizes in one pass."""
        if isinstance(image, np.ndarray):
            return Image.fromarray(image).convert("L" if self.contract.colour == "L" else "RGB")
        assert self.contract.size is not None
        height, width = self.contract.size
        # The smallest crop's shorter side shall not have fewer pixels than the input's longer one.
        side = math.ceil(max(width, height) / math.sqrt(area[0] * 3 / 4))
        return open_image(image, self.contract.colour, at_least=(side, side))
