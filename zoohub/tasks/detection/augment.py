"""Random changes of pictures with boxes: mosaic, scale and place, flip, colour.

Every picture is put on the canvas by one primitive, `place`: scaled, shifted and cut to a window.
What its pixels belong to goes with it, where that is known.
Where the contract stretches pictures, that is done before.
A mosaic is four of them around a point, a letterbox one in the middle.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from zoohub.inputs.picture.transforms import fill_of
from zoohub.manifest.entry import InputContract
from zoohub.tasks.detection.recipe import BoxAugment
from zoohub.tasks.detection.samples import Boxes, no_boxes

Random = np.random.Generator
Pixels = NDArray[np.uint8]
Owners = NDArray[np.int32]
Window = tuple[int, int, int, int]  # x1, y1, x2, y2

_VISIBLE = 0.35  # of a box must be left when it is cut, or it is no target any more
_SMALLEST = 3.0  # pixels of the input


@dataclass(frozen=True)
class Drawn:
    """A picture, uint8 RGB (H, W, 3), and its boxes (n, 5).

    `owners` (H, W), where known, is i + 1 where a pixel belongs to the object of box i, else 0.
    """

    pixels: Pixels
    boxes: Boxes
    owners: Owners | None = None


def blank(contract: InputContract) -> Pixels:
    """A canvas of the input's size, (height, width, 3) in RGB, as the contract fills it."""
    assert contract.size is not None
    fill = fill_of(contract, 3)
    canvas = np.empty((*contract.size, 3), np.uint8)
    canvas[:] = fill[::-1] if contract.colour == "BGR" else fill
    return canvas


def place(
    canvas: Drawn, picture: Drawn, scale: float, at: tuple[float, float], cut: Window
) -> Drawn:
    """Put `picture`, `scale` times as large, with its corner `at` (x, y), inside the window `cut`.

    Draws on the canvas's own arrays. The boxes, cut like the picture and without those of which
    hardly anything is left, come after those that the canvas has.
    """
    height, width = picture.pixels.shape[:2]
    x1, y1 = max(cut[0], math.ceil(at[0])), max(cut[1], math.ceil(at[1]))
    x2 = min(cut[2], math.floor(at[0] + width * scale))
    y2 = min(cut[3], math.floor(at[1] + height * scale))
    if x2 <= x1 or y2 <= y1:
        return canvas
    source = (
        max(0.0, (x1 - at[0]) / scale),
        max(0.0, (y1 - at[1]) / scale),
        min(float(width), (x2 - at[0]) / scale),
        min(float(height), (y2 - at[1]) / scale),
    )
    size = (x2 - x1, y2 - y1)
    piece = Image.fromarray(picture.pixels).resize(
        size, Image.Resampling.BILINEAR, box=source, reducing_gap=2.0
    )
    canvas.pixels[y1:y2, x1:x2] = np.asarray(piece)
    moved = picture.boxes.copy()
    moved[:, 1::2] = moved[:, 1::2] * scale + at[0]
    moved[:, 2::2] = moved[:, 2::2] * scale + at[1]
    cut_boxes, kept = clip_boxes(moved, (x1, y1, x2, y2))
    if canvas.owners is not None and picture.owners is not None:
        parts = Image.fromarray(picture.owners).resize(size, Image.Resampling.NEAREST, box=source)
        canvas.owners[y1:y2, x1:x2] = _renumbered(np.asarray(parts), kept, len(canvas.boxes))
    return replace(canvas, boxes=np.concatenate([canvas.boxes, cut_boxes]))


def _renumbered(owners: Owners, kept: NDArray[np.bool_], before: int) -> Owners:
    """`owners` by the places that the boxes have of which `kept` are left, after `before` others;
    0 where the box is gone."""
    table = np.zeros(len(kept) + 1, np.int32)
    table[1:][kept] = before + 1 + np.arange(kept.sum())
    found: Owners = table[owners]
    return found


def clip_boxes(boxes: Boxes, window: Window) -> tuple[Boxes, NDArray[np.bool_]]:
    """Boxes cut to the window; those mostly outside or with hardly any pixels are gone. And which
    are left."""
    cut = boxes.copy()
    cut[:, 1::2] = boxes[:, 1::2].clip(window[0], window[2])
    cut[:, 2::2] = boxes[:, 2::2].clip(window[1], window[3])
    sides = cut[:, 3:5] - cut[:, 1:3]
    before = np.prod(np.maximum(boxes[:, 3:5] - boxes[:, 1:3], 1e-6), axis=1)
    kept = (sides.min(axis=1, initial=np.inf) >= _SMALLEST) & (
        sides.prod(axis=1) >= _VISIBLE * before
    )
    return np.ascontiguousarray(cut[kept]), kept


def stretch(picture: Drawn, contract: InputContract) -> Drawn:
    """The whole picture as large as the input, its ratio lost: a letterbox leaves it there."""
    assert contract.size is not None
    height, width = contract.size
    image = Image.fromarray(picture.pixels).resize((width, height), Image.Resampling.BILINEAR)
    moved = picture.boxes.copy()
    moved[:, 1::2] *= width / picture.pixels.shape[1]
    moved[:, 2::2] *= height / picture.pixels.shape[0]
    owners = picture.owners
    if owners is not None:
        parts = Image.fromarray(owners).resize((width, height), Image.Resampling.NEAREST)
        owners = np.asarray(parts)
    return Drawn(np.asarray(image), moved, owners)


def letterbox(
    picture: Drawn, contract: InputContract, augment: BoxAugment, random: Random
) -> Drawn:
    """The whole picture where the contract puts it, then a little larger or smaller and off its
    place."""
    canvas = _empty(contract, owned=picture.owners is not None)
    size = canvas.pixels.shape[:2]
    height, width = picture.pixels.shape[:2]
    ratio = min(size[0] / height, size[1] / width)
    ratio *= 1 + random.uniform(-augment.scale, augment.scale)
    way_x, way_y = random.uniform(-augment.shift, augment.shift, 2)
    before = 0.0 if contract.align == "corner" else 0.5  # the picture: that part of what is free
    at = (
        (size[1] - width * ratio) * before + way_x * size[1],
        (size[0] - height * ratio) * before + way_y * size[0],
    )
    return place(canvas, picture, ratio, at, (0, 0, size[1], size[0]))


def mosaic(
    pictures: Sequence[Drawn], contract: InputContract, augment: BoxAugment, random: Random
) -> Drawn:
    """Four pictures that meet at a random point, each with a corner there (Bochkovskiy 2020)."""
    canvas = _empty(contract, owned=all(picture.owners is not None for picture in pictures))
    height, width = canvas.pixels.shape[:2]
    x = round(random.uniform(0.25, 0.75) * width)
    y = round(random.uniform(0.25, 0.75) * height)
    windows = ((0, 0, x, y), (x, 0, width, y), (0, y, x, height), (x, y, width, height))
    for number_, (picture, window) in enumerate(zip(pictures, windows, strict=True)):
        h, w = picture.pixels.shape[:2]
        ratio = min(height / h, width / w) * (1 + random.uniform(-augment.scale, augment.scale))
        at = (
            x - w * ratio if number_ % 2 == 0 else x,
            y - h * ratio if number_ < 2 else y,
        )
        canvas = place(canvas, picture, ratio, at, window)
    return canvas


def _empty(contract: InputContract, *, owned: bool) -> Drawn:
    pixels = blank(contract)
    owners = np.zeros(pixels.shape[:2], np.int32) if owned else None
    return Drawn(pixels, no_boxes(), owners)


def flip(picture: Drawn) -> Drawn:
    """The mirror image."""
    boxes, width = picture.boxes, picture.pixels.shape[1]
    mirrored = boxes.copy()
    mirrored[:, 1], mirrored[:, 3] = width - boxes[:, 3], width - boxes[:, 1]
    owners = None if picture.owners is None else np.ascontiguousarray(picture.owners[:, ::-1])
    return Drawn(np.ascontiguousarray(picture.pixels[:, ::-1]), mirrored, owners)


def recolour(picture: Pixels, augment: BoxAugment, random: Random) -> Pixels:
    """Hue turned, saturation and brightness scaled."""
    strengths = (augment.hue, augment.saturation, augment.value)
    if not any(strengths):
        return picture
    factors = 1 + random.uniform(-1, 1, 3) * strengths
    levels = np.arange(256)
    turned = ((levels + (factors[0] - 1) * 256) % 256).astype(np.uint8)
    scaled = [np.clip(levels * factor, 0, 255).astype(np.uint8) for factor in factors[1:]]
    table = np.concatenate([turned, *scaled]).tolist()
    changed = Image.fromarray(picture).convert("HSV").point(table)
    return np.asarray(changed.convert("RGB"))
