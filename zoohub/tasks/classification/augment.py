"""Random changes of one training picture, and mixtures of a batch of them.

All randomness comes from the generator passed in, so that the loader can derive it from (seed,
epoch, position): a resumed run needs no saved random state to continue as if never stopped.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageStat

from zoohub.manifest.entry import InputContract
from zoohub.tasks.classification.recipe import Augment

Random = np.random.Generator
_FILTERS = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "area": Image.Resampling.BOX,
}
_LUMA = (0.299, 0.587, 0.114)  # a grey level's shares of red, green and blue (ITU-R BT.601)


def crop_box(
    width: int, height: int, area: tuple[float, float], random: Random
) -> tuple[float, float, float, float]:
    """(left, top, right, bottom) of a random crop with `area` of the picture and ratio 3:4 to 4:3.

    Ten tries, then the largest centred crop, as Szegedy et al. 2014 is usually implemented.
    """
    for _ in range(10):
        part = random.uniform(*area) * width * height
        ratio = math.exp(random.uniform(math.log(3 / 4), math.log(4 / 3)))
        w, h = round(math.sqrt(part * ratio)), round(math.sqrt(part / ratio))
        if 0 < w <= width and 0 < h <= height:
            left, top = int(random.integers(width - w + 1)), int(random.integers(height - h + 1))
            return left, top, left + w, top + h
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    return left, top, left + side, top + side


def random_crop(
    image: Image.Image, contract: InputContract, augment: Augment, random: Random
) -> Image.Image:
    """A random crop, resized to the contract's size."""
    assert contract.size is not None
    box = crop_box(image.width, image.height, augment.area or (1.0, 1.0), random)
    size = (contract.size[1], contract.size[0])
    return image.resize(size, _FILTERS[contract.interpolation or "bilinear"], box=box)


def change(image: Image.Image, augment: Augment, random: Random) -> Image.Image:
    """Mirror, turn, shift, zoom, shear, recolour and erase as `augment` says; same size."""
    if augment.flip and random.random() < augment.flip:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if augment.rotate or augment.shift or augment.zoom or augment.shear:
        matrix = affine(image.width, image.height, augment, random)
        image = image.transform(
            image.size, Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR
        )
    if augment.colour:
        image = recolour(image, augment.colour, random)
    if augment.erase and random.random() < augment.erase:
        image = erase(image, random)
    return image


def affine(
    width: int, height: int, augment: Augment, random: Random
) -> tuple[float, float, float, float, float, float]:
    """The output -> input matrix, row by row, of a random affine change about the centre."""
    angle, shear = np.radians(
        [random.uniform(-augment.rotate, augment.rotate), random.uniform(-1, 1) * augment.shear]
    )
    zoom = 1 + random.uniform(-augment.zoom, augment.zoom)
    dx, dy = random.uniform(-augment.shift, augment.shift, 2) * (width, height)
    cos, sin, tan = math.cos(angle) / zoom, math.sin(angle) / zoom, math.tan(shear)
    a, b, d, e = cos, cos * tan + sin, -sin, -sin * tan + cos
    cx, cy = (width - 1) / 2, (height - 1) / 2
    c = cx - a * (cx + dx) - b * (cy + dy)
    f = cy - d * (cx + dx) - e * (cy + dy)
    # Pillow asks for the input place of each output pixel's centre, half a pixel in.
    return a, b, c + 0.5 * (1 - a - b), d, e, f + 0.5 * (1 - d - e)


def recolour(image: Image.Image, strength: float, random: Random) -> Image.Image:
    """Brightness, contrast and (with colours) saturation, each times 1 ± `strength`.

    All three are linear, so they are computed as one, without the cuts to 0..255 between them.
    """
    coloured = image.mode == "RGB"
    brightness, contrast, *saturation = 1 + random.uniform(-strength, strength, 2 + coloured)
    grey = image.convert("L") if coloured else image
    factor = brightness * contrast
    offset = (1 - contrast) * brightness * ImageStat.Stat(grey).mean[0]
    if not coloured:
        levels = np.clip(np.rint(factor * np.arange(256) + offset), 0, 255)
        return image.point([int(level) for level in levels])
    own, mixed = saturation[0] * factor, (1 - saturation[0]) * factor
    rows = np.zeros((3, 4))
    rows[:, :3] = own * np.eye(3) + mixed * np.array(_LUMA)
    rows[:, 3] = offset
    return image.convert("RGB", tuple(rows.ravel()))


def erase(image: Image.Image, random: Random) -> Image.Image:
    """One rectangle of 2 to 20 % of the picture in mid grey (Zhong et al. 2017)."""
    part = random.uniform(0.02, 0.2) * image.width * image.height
    ratio = math.exp(random.uniform(math.log(0.3), math.log(1 / 0.3)))
    w = min(image.width, max(1, round(math.sqrt(part * ratio))))
    h = min(image.height, max(1, round(math.sqrt(part / ratio))))
    left = int(random.integers(image.width - w + 1))
    top = int(random.integers(image.height - h + 1))
    image = image.copy()
    image.paste(127 if image.mode == "L" else (127, 127, 127), (left, top, left + w, top + h))
    return image


def mix(
    images: NDArray[np.float32], targets: NDArray[np.float32], augment: Augment, random: Random
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mixup or cutmix of a batch with itself reversed: NCHW images, (N, classes) targets."""
    use_cutmix = augment.cutmix > 0 and (augment.mixup == 0 or random.random() < 0.5)
    alpha = augment.cutmix if use_cutmix else augment.mixup
    if alpha == 0:
        return images, targets
    share = float(random.beta(alpha, alpha))
    if use_cutmix:
        height, width = images.shape[2:]
        h, w = round(height * math.sqrt(1 - share)), round(width * math.sqrt(1 - share))
        top, left = int(random.integers(height - h + 1)), int(random.integers(width - w + 1))
        mixed = images.copy()
        patch = (slice(None), slice(None), slice(top, top + h), slice(left, left + w))
        mixed[patch] = images[::-1][patch]
        share = 1 - h * w / (height * width)
    else:
        mixed = (share * images + (1 - share) * images[::-1]).astype(np.float32)
    return mixed, (share * targets + (1 - share) * targets[::-1]).astype(np.float32)
