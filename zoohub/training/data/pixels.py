"""From a picture to the network's input, in the two halves between which augmentation works."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from zoohub.manifest.entry import InputContract
from zoohub.training.data.augment import change, random_crop
from zoohub.training.data.samples import Samples
from zoohub.training.recipe import Augment
from zoohub.vision import Transform
from zoohub.vision.image import open_image

Array = NDArray[np.float32]


def normalise(pixels: NDArray[np.uint8], contract: InputContract) -> Array:
    """(H, W) or (H, W, C) in the contract's channel order -> its layout, range, mean, std.

    Each grey level is computed once and then looked up, which is quicker.
    """
    if pixels.ndim == 2:
        pixels = pixels[:, :, None]
    channels = pixels.shape[2]
    values = np.arange(256, dtype=np.float32)
    if contract.value_range == "0..1":
        values /= 255
    mean = np.asarray(contract.mean or (0,) * channels, np.float32)
    std = np.asarray(contract.std or (1,) * channels, np.float32)
    tables = (values - mean[:, None]) / std[:, None]
    planes = np.empty((channels, *pixels.shape[:2]), np.float32)
    for channel, table in enumerate(tables):
        # Every uint8 is a place in the table: with "clip", take writes straight into the plane.
        np.take(table, pixels[:, :, channel], out=planes[channel], mode="clip")
    return planes if contract.layout == "NCHW" else planes.transpose(1, 2, 0)


class Evaluation:
    """Pictures as `zoohub.predict` would prepare them."""

    def __init__(self, samples: Samples, contract: InputContract) -> None:
        self.samples, self.transform = samples, Transform(contract)

    def __call__(self, place: int, random: np.random.Generator) -> Array:
        """The network's input for the sample at `place`; `random` is not used."""
        return self.transform(self.samples.images[place])


class Training:
    """Pictures with the recipe's random changes; without any, the same as `Evaluation`.

    Small pictures given as arrays are resized once and kept.
    """

    def __init__(self, samples: Samples, contract: InputContract, augment: Augment) -> None:
        self.samples, self.contract, self.augment = samples, contract, augment
        # The contract's own resizing, with the pixels left as they are.
        raw = dataclasses.replace(
            contract, value_range="0..255", mean=None, std=None, layout="NHWC"
        )
        self._raw = Transform(raw)
        self._resized = {
            place: self._resize(image)
            for place, image in enumerate(samples.images)
            if isinstance(image, np.ndarray) and augment.area is None
        }

    def __call__(self, place: int, random: np.random.Generator) -> Array:
        """The network's input for the sample at `place`, changed by `random`."""
        if self.augment.area is not None:
            image = self._open(self.samples.images[place])
            image = random_crop(image, self.contract, self.augment, random)
        elif place in self._resized:
            image = self._resized[place]
        else:
            image = self._resize(self.samples.images[place])
        pixels = np.asarray(change(image, self.augment, random))
        if self.contract.colour == "BGR":
            pixels = pixels[:, :, ::-1]
        return normalise(pixels, self.contract)

    def _resize(self, image: Path | NDArray[np.uint8]) -> Image.Image:
        pixels = self._raw(image).astype(np.uint8)
        if self.contract.colour == "BGR":
            pixels = pixels[:, :, ::-1]
        return Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)

    def _open(self, image: Path | NDArray[np.uint8]) -> Image.Image:
        """The picture as Pillow has it, which crops and resizes in one pass."""
        if isinstance(image, np.ndarray):
            return Image.fromarray(image).convert("L" if self.contract.colour == "L" else "RGB")
        assert self.contract.size is not None
        assert self.augment.area is not None
        height, width = self.contract.size
        # The smallest crop's shorter side shall not have fewer pixels than the input's longer one.
        side = math.ceil(max(width, height) / math.sqrt(self.augment.area[0] * 3 / 4))
        return open_image(image, self.contract.colour, at_least=(side, side))
