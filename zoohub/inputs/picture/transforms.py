"""From a picture to the network's input, by the checkpoint's input contract."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zoohub.core.counting import counted
from zoohub.errors import DataError
from zoohub.inputs.picture.image import Picture, read_image
from zoohub.inputs.picture.lines import line_array, line_width, turned
from zoohub.inputs.picture.pixels import level_values, look_up
from zoohub.inputs.picture.resize import WHOLE, Interpolation, Window, resize
from zoohub.manifest.entry import InputContract

PADDING = 114  # the grey that YOLO's letterbox is filled with
MOST_PIXELS = 1 << 25  # that a picture is resized to
_STEP = 32
_MANY = 20  # pictures, for which importing OpenCV pays


@dataclass(frozen=True, slots=True)
class Geometry:
    """Where the picture lies in the network's input.

    A picture's pixel (x, y) is at (x * scale_x + left, y * scale_y + top) of the input. `picture`
    is (height, width) of the upright picture, `resized` that of the picture inside the input;
    `left` and `top` are negative where the picture was cropped.
    """

    picture: tuple[int, int]
    resized: tuple[int, int]
    top: int
    left: int

    @property
    def scale_y(self) -> float:
        """Input pixels to one pixel of the picture, downwards."""
        return self.resized[0] / self.picture[0]

    @property
    def scale_x(self) -> float:
        """Input pixels to one pixel of the picture, to the right."""
        return self.resized[1] / self.picture[1]

    def to_picture(self, boxes: NDArray[np.float32]) -> NDArray[np.float32]:
        """Boxes (n, 4) `x1 y1 x2 y2` from input pixels to the picture's, cut at its edges."""
        height, width = self.picture
        offset = np.array([self.left, self.top] * 2, np.float32)
        scale = np.array([self.scale_x, self.scale_y] * 2, np.float32)
        limit = np.array([width, height] * 2, np.float32)
        return np.clip((boxes - offset) / scale, 0, limit).astype(np.float32)

    def points_to_picture(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        """Points (…, 2) `x y` from input pixels to the picture's; they may lie outside it."""
        offset = np.array([self.left, self.top], np.float32)
        scale = np.array([self.scale_x, self.scale_y], np.float32)
        return ((points - offset) / scale).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A network's input for one picture, and how to get back to the picture."""

    array: NDArray[np.float32]
    geometry: Geometry


def crop_geometry(picture: tuple[int, int], size: tuple[int, int], crop: float) -> Geometry:
    """Resize and centre crop, as mindcv's evaluation does.

    A square input: the shorter side becomes floor(size / crop) and the ratio stays. Another:
    the picture is stretched to the input's size / crop.
    """
    height, width = picture
    if size[0] == size[1]:
        shorter = math.floor(size[0] / crop)
        side = min(height, width)
        resized = (shorter * height // side, shorter * width // side)
    else:
        resized = (int(size[0] / crop), int(size[1] / crop))
    top, left = (resized[0] - size[0]) // 2, (resized[1] - size[1]) // 2
    return Geometry(picture, resized, top=-top, left=-left)


def letterbox_geometry(
    picture: tuple[int, int], size: tuple[int, int], corner: bool = False
) -> Geometry:
    """Fit the whole picture into the input, keeping its ratio, centred or at the top left `corner`.

    Small pictures are enlarged: mindyolo's letterbox has `scaleup: false`, but the step that loads
    the picture before it has already scaled the longer side to the input's size, either way.
    """
    height, width = picture
    ratio = min(size[0] / height, size[1] / width)
    # max(1, …): a line one pixel high must not vanish.
    resized = (max(1, int(height * ratio)), max(1, int(width * ratio)))
    if corner:
        return Geometry(picture, resized, 0, 0)
    return Geometry(picture, resized, (size[0] - resized[0]) // 2, (size[1] - resized[1]) // 2)


def scaled_geometry(picture: tuple[int, int], size: tuple[int, int], resize: str) -> Geometry:
    """The picture at the top left, its ratio kept but for sides that are multiples of 32.

    `resize` is one of `InputContract.resize`: `pad` and `within` fit it into `size`, `at_least`
    enlarges it until its shorter side is that of `size`, `at_most` shrinks it until its longer
    side is. Source: MindOCR's DetResize, which has no bound: here a picture does not become larger
    than `MOST_PIXELS`, nor is one enlarged that would.
    """
    height, width = picture
    if resize in ("pad", "within"):
        scale = min(size[0] / height, size[1] / width)
        return Geometry(picture, _multiples(picture, scale, size), top=0, left=0)
    if resize == "at_least":
        scale = max(1.0, min(size) / min(picture))
    else:
        scale = min(1.0, max(size) / max(picture))
    resized = _multiples(picture, scale)
    if resized[0] * resized[1] > MOST_PIXELS:
        scale = min(1.0, math.sqrt(MOST_PIXELS / (height * width)))
        resized = _multiples(picture, scale)
    return Geometry(picture, resized, top=0, left=0)


def _multiples(
    picture: tuple[int, int], scale: float, most: tuple[int, int] | None = None
) -> tuple[int, int]:
    """The picture's sides times `scale`, to the nearest multiple of 32 (of two the even one) that
    `most` has room for."""
    limits = (math.inf, math.inf) if most is None else [side // _STEP * _STEP for side in most]
    height, width = (
        int(max(_STEP, min(round(int(side * scale) / _STEP) * _STEP, limit)))
        for side, limit in zip(picture, limits, strict=True)
    )
    return height, width


def fill_of(contract: InputContract, channels: int) -> NDArray[np.uint8]:
    """The level of each channel, in the contract's order, around a picture that does not fill the
    input."""
    other = 0 if contract.resize == "pad" else PADDING
    return np.broadcast_to(np.array(contract.fill or other, np.uint8), channels)


class Transform:
    """Turns a picture into a network's input, as the checkpoint's publisher does.

    `transform(picture)` takes a path, a PIL image or a uint8 (H, W, C) array and returns float32,
    (C, H, W) or (H, W, C) as the contract's layout says, without a batch axis. Values are 0..1 or
    0..255, then `(value - mean) / std`; a contract whose mean and std are both None leaves them.

    Raises:
        DataError: the contract lacks what a picture cannot be prepared without, or (when called)
            the picture cannot be read.
    """

    def __init__(self, contract: InputContract) -> None:
        self.contract = contract
        self.size, self.interpolation = _checked(contract)
        self.values = level_values(contract, contract.channels)
        self._prepared = 0

    def __call__(self, picture: Picture) -> NDArray[np.float32]:
        """The network's input for one picture."""
        return self.prepare(picture).array

    def prepare(self, picture: Picture) -> Prepared:
        """The network's input, and the geometry that leads back to the picture (as it was turned,
        where the contract turns it)."""
        pixels = turned(read_image(picture, self.contract.colour), self.contract.turned_above)
        geometry = self.geometry(pixels.shape[0], pixels.shape[1])
        if self.contract.resize == "line":
            placed = line_array(pixels, geometry.resized[1], self.contract, self.values)
            return Prepared(self._laid_out(placed), geometry)
        window = self._window(geometry)
        self._prepared += 1
        many = self._prepared > _MANY
        resized = resize(pixels, *geometry.resized, self.interpolation, window, opencv=many)
        return Prepared(self._place(resized, geometry), geometry)

    def geometry(self, height: int, width: int) -> Geometry:
        """Where a picture of that size comes to lie in the input."""
        picture = (height, width)
        if self.contract.resize == "crop":
            assert self.contract.crop is not None  # _checked
            return crop_geometry(picture, self.size, self.contract.crop)
        if self.contract.resize == "letterbox":
            return letterbox_geometry(picture, self.size, self.contract.align == "corner")
        if self.contract.resize == "line":
            assert self.contract.line is not None  # _checked
            width = line_width(picture, self.size, self.contract.line)
            return Geometry(picture, (self.size[0], width), top=0, left=0)
        if self.contract.resize == "stretch":
            return Geometry(picture, self.size, top=0, left=0)
        return scaled_geometry(picture, self.size, self.contract.resize)

    def _window(self, geometry: Geometry) -> Window:
        """What a crop keeps of the resized picture: nothing else is computed."""
        if self.contract.resize != "crop":
            return WHOLE
        top, left = -geometry.top, -geometry.left
        return slice(top, top + self.size[0]), slice(left, left + self.size[1])

    def _place(self, resized: NDArray[np.uint8], geometry: Geometry) -> NDArray[np.float32]:
        """The resized picture in the contract's values, with what is around it."""
        height, width = geometry.resized if self.contract.open_size else self.size
        placed = np.empty((resized.shape[2], height, width), np.float32)
        inner = placed
        if self.contract.resize in ("letterbox", "pad"):
            bottom, right = geometry.top + resized.shape[0], geometry.left + resized.shape[1]
            inner = placed[:, geometry.top : bottom, geometry.left : right]
            filling = fill_of(self.contract, len(self.values))
            around = self.values[np.arange(len(filling)), filling, None, None]
            placed[:, : geometry.top] = placed[:, bottom:] = around
            placed[:, :, : geometry.left] = placed[:, :, right:] = around
        look_up(self.values, resized, inner)
        return self._laid_out(placed)

    def _laid_out(self, placed: NDArray[np.float32]) -> NDArray[np.float32]:
        """(C, H, W) in the contract's layout."""
        if self.contract.layout == "NCHW":
            return placed
        return np.ascontiguousarray(placed.transpose(1, 2, 0))


def _checked(contract: InputContract) -> tuple[tuple[int, int], Interpolation]:
    """The contract's size and interpolation.

    Raises:
        DataError: something that pictures depend on is unknown or contradicts itself.
    """
    needed = ["size", "interpolation"]
    needed += [contract.resize] if contract.resize in ("crop", "line") else []
    unknown = [name for name in needed if getattr(contract, name) is None]
    if (contract.mean is None) != (contract.std is None):
        unknown.append("mean" if contract.mean is None else "std")
    if unknown:
        raise DataError(
            f"how pictures become this checkpoint's input is not fully known: {', '.join(unknown)} "
            "missing from its input contract; prepare the array yourself, or complete the contract "
            "in an index of your own (ZOOHUB_INDEX)"
        )
    assert contract.size is not None
    assert contract.interpolation is not None
    expected = 1 if contract.colour == "L" else 3
    if contract.channels != expected:
        raise DataError(
            f"pictures in {contract.colour} have {counted(expected, 'channel')}, but this "
            f"checkpoint's input contract says {contract.channels}; prepare the array yourself"
        )
    for name in ("mean", "std"):
        values = getattr(contract, name)
        if values is not None and len(values) != expected:
            raise DataError(
                f"the input contract has {counted(len(values), f'{name} value')} for "
                f"{counted(expected, 'channel')}"
            )
    if contract.fill is not None and len(contract.fill) not in (1, expected):
        raise DataError(
            f"the input contract has {counted(len(contract.fill), 'fill value')} for "
            f"{counted(expected, 'channel')}"
        )
    if contract.std is not None and 0 in contract.std:
        raise DataError("the input contract has a std of 0")
    if min(contract.size) < 1 or (contract.crop is not None and not 0 < contract.crop <= 1):
        raise DataError(f"the input contract has size {contract.size} and crop {contract.crop}")
    whole = math.prod(side / (contract.crop or 1) for side in contract.size)
    if contract.line is not None:
        whole = contract.size[0] * max(contract.line.narrowest, contract.line.widest or 0)
    if whole > MOST_PIXELS:
        raise DataError(
            f"by the input contract pictures become {whole / 1e6:.0f} megapixels large; the limit "
            f"is {MOST_PIXELS / 1e6:.0f}"
        )
    return contract.size, contract.interpolation
