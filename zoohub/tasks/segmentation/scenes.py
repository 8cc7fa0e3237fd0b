"""Scenes of the UCI digits with the class of each pixel: the detector's scenes, seen finer."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from zoohub.inputs.picture.digits import Digits, all_digits, heldout_digits
from zoohub.tasks.contract import Reader
from zoohub.tasks.detection.scenes import CLASSES, FOLDS, Part, compose_scene
from zoohub.tasks.samples import Samples, Splits, none
from zoohub.tasks.segmentation.masks import Mask, MaskSamples
from zoohub.tasks.segmentation.recipe import MaskScenesData

NAMES = ("background", *CLASSES)
INK_NAMES = ("background", "digit")
INK_SIZE = 96  # pixels: the side of the scenes of `digit-ink`
INK = 96  # of 255: from where a pixel is the digit's, as for its box


class MaskScenesReader(Reader[MaskScenesData, Mask]):
    """The words `digit-scenes`, a class a digit, and `digit-ink`, one class for all of them."""

    data = MaskScenesData
    says = "`digit-scenes`, `digit-ink`"
    dataset = "uci-digits"

    def claims(self, source: Path) -> bool:
        """See `Reader`."""
        return str(source) in ("digit-scenes", "digit-ink")

    def describe(self, source: Path) -> MaskScenesData:
        """See `Reader`."""
        if str(source) == "digit-ink":
            return MaskScenesData("digit-scenes", size=INK_SIZE, ink=True)
        return MaskScenesData("digit-scenes")

    def read(self, data: MaskScenesData, *, measuring: bool = False) -> Splits[Mask]:
        """Scenes of which no two parts share a digit; the test part needs no scikit-learn."""
        if measuring:
            test = _scenes(heldout_digits(), "test", data.test, data)
            return Splits(_names(data), none(), none(), test)
        digits = all_digits()
        fold = np.arange(len(digits)) % 5

        def part(name: Part, count: int) -> MaskSamples:
            own = digits.take(np.flatnonzero(np.isin(fold, FOLDS[name])))
            return _scenes(own, name, count, data)

        return Splits(
            _names(data),
            part("train", data.train),
            part("validation", data.validation),
            part("test", data.test),
        )


def _names(data: MaskScenesData) -> tuple[str, ...]:
    return INK_NAMES if data.ink else NAMES


def _scenes(digits: Digits, part: Part, count: int, data: MaskScenesData) -> MaskSamples:
    pictures, masks = [], []
    for number in range(count):
        scene = compose_scene(digits, part, number, data.size)
        mask = np.zeros((data.size, data.size), np.uint8)
        for (label, *_), ink in scene.digits:
            mask[ink > INK] = 1 if data.ink else int(label) + 1
        pictures.append(scene.pixels)
        masks.append(Mask(mask))
    return Samples(pictures, masks, [f"{part}-{number:05d}" for number in range(count)])
