"""Training pictures of a text detector: read, scaled, turned, cut and recoloured."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoohub.inputs.picture.image import read_image
from zoohub.inputs.picture.pixels import normalise
from zoohub.manifest.entry import InputContract
from zoohub.tasks.contract import Note, Random, TrainingRow
from zoohub.tasks.pictures import first_readable, recoloured
from zoohub.tasks.text_detection.recipe import TextDetectionRecipe
from zoohub.tasks.text_detection.samples import TextSamples
from zoohub.tasks.text_detection.shapes import Points, opencv, shapely
from zoohub.tasks.text_detection.training_maps import text_maps

Pixels = NDArray[np.uint8]

_VISIBLE = 0.5  # of a text must be in the input to be learnt


class TrainingPages:
    """The network's input and the maps that it learns, randomly changed."""

    def __init__(
        self, samples: TextSamples, contract: InputContract, recipe: TextDetectionRecipe
    ) -> None:
        assert contract.size is not None
        self.samples, self.contract, self.recipe = samples, contract, recipe
        self.size = contract.size

    def __call__(self, place: int, random: Random, note: Note, epoch: int) -> TrainingRow:
        """See `TrainingRows`: `image` (C, H, W) and `maps` (4, H, W) of `text_maps`."""
        samples, augment = self.samples, self.recipe.augment

        def read(candidate: int) -> Pixels:
            return read_image(samples.inputs[candidate], self.contract.colour)  # type: ignore[arg-type]

        found, pixels = first_readable(samples.names, place, note, read)
        matrix = placing(
            (pixels.shape[0], pixels.shape[1]),
            self.size,
            random.uniform(*augment.scale),
            random.uniform(-augment.turn, augment.turn),
            random,
        )
        cv2 = opencv()
        pixels = cv2.warpAffine(
            np.ascontiguousarray(pixels), matrix, self.size[::-1], flags=cv2.INTER_LINEAR
        ).reshape(*self.size, -1)
        texts = samples.targets[found]
        outlines, ignored = [], []
        for polygon, left_out in zip(texts.polygons, texts.ignored, strict=True):
            moved = polygon @ matrix[:, :2].T + matrix[:, 2]
            for part, share in visible_parts(moved, self.size):
                outlines.append(part)
                ignored.append(bool(left_out) or share < _VISIBLE)
        maps = text_maps(outlines, ignored, self.size, self.recipe.shrink)
        image = normalise(recoloured(pixels, augment.colour, random), self.contract)
        return TrainingRow({"image": image}, {"maps": maps})


def placing(
    picture: tuple[int, int], size: tuple[int, int], scale: float, degrees: float, random: Random
) -> NDArray[np.float64]:
    """The affine matrix (2, 3) that puts a picture onto the input: `scale` times the size at which
    it fits, turned, and somewhere where as much of it as can be is to be seen."""
    ratio = scale * min(size[0] / picture[0], size[1] / picture[1])
    angle = np.deg2rad(degrees)
    turn = ratio * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle = turn @ np.array([picture[1], picture[0]]) / 2
    free = np.array([size[1] - picture[1] * ratio, size[0] - picture[0] * ratio]) / 2
    shift = np.array([size[1], size[0]]) / 2 + random.uniform(-1, 1, 2) * np.abs(free)
    return np.concatenate([turn, (shift - middle)[:, None]], axis=1)


def visible_parts(outline: Points, size: tuple[int, int]) -> list[tuple[Points, float]]:
    """What of an outline lies in a picture of that size, and how much of its area that is."""
    geometry = shapely()
    height, width = size
    if ((outline >= 0) & (outline <= (width - 1, height - 1))).all():
        return [(outline, 1.0)]
    whole = geometry.Polygon(outline)
    if not whole.is_valid or not whole.area:
        return []
    inside: Any = whole.intersection(geometry.box(0, 0, width - 1, height - 1))
    parts = [part for part in getattr(inside, "geoms", [inside]) if part.area > 0]
    return [(np.array(part.exterior.coords)[:-1], part.area / whole.area) for part in parts]
