"""Scenes composed from the UCI digits: light digits of many colours and sizes on dark grounds.

A scene is a pure function of (digits, part, number, size). The held-out part uses only the
pictures i with i % 5 == 0, the validation part only those with i % 5 == 1, and training the rest,
so that no digit is seen in two parts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from zoohub.inputs.picture.digits import Digits, all_digits, heldout_digits
from zoohub.tasks.detection.recipe import ScenesData
from zoohub.tasks.detection.samples import Boxes, BoxSamples, Objects, Shape, as_boxes
from zoohub.tasks.run_lengths import run_lengths
from zoohub.tasks.samples import Samples, Splits, none

Part = Literal["train", "validation", "test"]
FOLDS: dict[Part, tuple[int, ...]] = {"train": (2, 3, 4), "validation": (1,), "test": (0,)}
CLASSES = tuple(str(digit) for digit in range(10))

_PARTS: dict[Part, int] = {"train": 0, "validation": 1, "test": 2}
_MOST, _LEAST = 8, 3  # digits to a scene
_TALLEST, _SHORTEST = 0.42, 0.18  # a digit's height as a part of the scene's side
_SHARED = 0.05  # of the smaller of two boxes may lie in the other
_TRIES = 20
_INK = 96  # of 255: where a digit counts as begun, for its box


def read_scenes(data: ScenesData, *, measuring: bool = False) -> Splits[Objects]:
    """Scenes of which no two parts share a digit; the test part needs no scikit-learn."""
    if measuring:
        test = make_scenes(heldout_digits(), "test", data.test, data.size)
        return Splits(CLASSES, none(), none(), test)
    digits = all_digits()
    fold = np.arange(len(digits)) % 5
    counts: dict[Part, int] = {
        "train": data.train,
        "validation": data.validation,
        "test": data.test,
    }
    parts = {
        part: make_scenes(
            digits.take(np.flatnonzero(np.isin(fold, FOLDS[part]))), part, count, data.size
        )
        for part, count in counts.items()
    }
    return Splits(CLASSES, parts["train"], parts["validation"], parts["test"])


def make_scenes(digits: Digits, part: Part, count: int, size: int) -> BoxSamples:
    """`count` scenes of size × size pixels from the `digits` of one part, uint8 RGB.

    `digits` are 8×8 pictures, already only those of the part (see `FOLDS`).
    """
    pictures: list[NDArray[np.uint8]] = []
    objects: list[Objects] = []
    for number in range(count):  # one by one: all inks together would be a gigabyte
        scene = compose_scene(digits, part, number, size)
        pictures.append(scene.pixels)
        objects.append(_objects(scene))
    return Samples(pictures, objects, [f"{part}-{number:05d}" for number in range(count)])


def _objects(scene: Scene) -> Objects:
    """The scene's boxes, and each digit's ink as its shape."""
    shapes: list[Shape] = []
    for _, ink in scene.digits:
        runs = run_lengths(ink > _INK)
        shapes.append({"size": [runs.height, runs.width], "counts": list(runs.runs)})
    return Objects(as_boxes([row for row, _ in scene.digits]), shapes=tuple(shapes))


def make_scene(
    digits: Digits, part: Part, number: int, size: int
) -> tuple[NDArray[np.uint8], Boxes]:
    """One scene, uint8 (size, size, 3), and its boxes (n, 5)."""
    scene = compose_scene(digits, part, number, size)
    return scene.pixels, as_boxes([row for row, _ in scene.digits])


@dataclass(frozen=True)
class Scene:
    """A scene: `pixels` uint8 (size, size, 3), and of each digit its row `class x1 y1 x2 y2` and
    its ink, float32 (size, size) of 0..255."""

    pixels: NDArray[np.uint8]
    digits: tuple[tuple[tuple[float, ...], NDArray[np.float32]], ...]


def compose_scene(digits: Digits, part: Part, number: int, size: int) -> Scene:
    """One scene of the digits of one part."""
    random = np.random.default_rng([_PARTS[part], number, size])
    canvas = _ground(random, size)
    rows: list[tuple[float, ...]] = []
    inks: list[NDArray[np.float32]] = []
    for _ in range(int(random.integers(_LEAST, _MOST + 1))):
        which = int(random.integers(len(digits)))
        share = math.exp(random.uniform(math.log(_SHORTEST), math.log(_TALLEST)))
        mask = _digit_mask(np.asarray(digits.images[which]), share * size, random)
        place = _free_place(mask, rows, size, random)
        if place is None:
            continue
        left, top = place
        inks.append(_placed(mask, left, top, size))
        _paint(canvas, mask, left, top, random)
        x1, y1, x2, y2 = ink_box(mask)
        rows.append((float(digits.labels[which]), left + x1, top + y1, left + x2, top + y2))
    noise = random.normal(0, random.uniform(2, 10), canvas.shape)
    pixels = np.clip(canvas + noise, 0, 255).astype(np.uint8)
    return Scene(pixels, tuple(zip(rows, inks, strict=True)))


def ink_box(mask: NDArray[np.float32]) -> tuple[int, int, int, int]:
    """x1, y1, x2, y2 around what of `mask` (H, W; 0..255) is ink."""
    rows = np.flatnonzero((mask > _INK).any(1))
    columns = np.flatnonzero((mask > _INK).any(0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _placed(mask: NDArray[np.float32], left: int, top: int, size: int) -> NDArray[np.float32]:
    """The digit's ink where it lies in the scene."""
    ink = np.zeros((size, size), np.float32)
    y, x = slice(max(0, top), top + mask.shape[0]), slice(max(0, left), left + mask.shape[1])
    below = ink[y, x]
    below[:] = mask[y.start - top : y.start - top + below.shape[0],
                    x.start - left : x.start - left + below.shape[1]]  # fmt: skip
    return ink


def _digit_mask(
    pixels: NDArray[np.uint8], height: float, random: np.random.Generator
) -> NDArray[np.float32]:
    """An 8×8 digit as ink (H, W) of 0..255, `height` pixels high, turned and stretched a little."""
    width = height * random.uniform(0.8, 1.1)
    size = (max(8, round(width)), max(8, round(height)))
    image = Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC)
    turned = image.rotate(random.uniform(-12, 12), Image.Resampling.BILINEAR, expand=True)
    ink = np.asarray(turned, np.float32)
    # Enlarged eight by eight is soft; a steeper slope gives strokes an edge.
    sharp: NDArray[np.float32] = np.clip((ink - 128) * 1.8 + 128, 0, 255)
    return sharp


def _free_place(
    mask: NDArray[np.float32],
    rows: list[tuple[float, ...]],
    size: int,
    random: np.random.Generator,
) -> tuple[int, int] | None:
    """Where (left, top) the digit's ink lies inside the scene and hardly on other digits."""
    x1, y1, x2, y2 = ink_box(mask)
    if x2 - x1 >= size or y2 - y1 >= size:
        return None
    for _ in range(_TRIES):
        left = int(random.integers(-x1, size - x2 + 1))
        top = int(random.integers(-y1, size - y2 + 1))
        box = (left + x1, top + y1, left + x2, top + y2)
        if all(_shared(box, row[1:]) <= _SHARED for row in rows):
            return left, top
    return None


def _shared(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """The overlap of two boxes as a part of the smaller."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    areas = [(b[2] - b[0]) * (b[3] - b[1]) for b in (one, other)]
    return max(0.0, width) * max(0.0, height) / min(areas)


def _ground(random: np.random.Generator, size: int) -> NDArray[np.float32]:
    """A ground that runs from one colour to another, with soft spots."""
    one, other = random.uniform(10, 110, (2, 3))
    angle = random.uniform(0, 2 * math.pi)
    y, x = np.mgrid[0:size, 0:size] / size - 0.5
    way = np.clip(x * math.cos(angle) + y * math.sin(angle) + 0.5, 0, 1)[..., None]
    cells = int(random.integers(2, 7))
    spots = random.uniform(-1, 1, (cells, cells)).astype(np.float32)
    soft = Image.fromarray(spots).resize((size, size), Image.Resampling.BICUBIC)
    spotted = np.asarray(soft)[..., None] * random.uniform(0, 20)
    ground: NDArray[np.float32] = (one * (1 - way) + other * way + spotted).astype(np.float32)
    return ground


def _paint(
    canvas: NDArray[np.float32],
    mask: NDArray[np.float32],
    left: int,
    top: int,
    random: np.random.Generator,
) -> None:
    """Put the digit on the canvas, in a colour lighter than what is below."""
    x, y = slice(max(0, left), left + mask.shape[1]), slice(max(0, top), top + mask.shape[0])
    below = canvas[y, x]
    part = mask[y.start - top : y.start - top + below.shape[0],
                x.start - left : x.start - left + below.shape[1]]  # fmt: skip
    tone = float(below.mean()) + random.uniform(80, 170)
    colour = np.clip(tone + random.uniform(-40, 40, 3), 0, 255)
    ink = part[..., None] / 255
    canvas[y, x] = below * (1 - ink) + colour * ink
