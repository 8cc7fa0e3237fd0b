"""A picture from wherever it comes, as upright 8-bit pixels."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from zoohub.errors import DataError

if TYPE_CHECKING:
    from PIL import Image

Picture: TypeAlias = "str | Path | Image.Image | NDArray[Any]"
Colour = Literal["RGB", "BGR", "L"]

# What a folder or a pattern is searched for. A file named outright may have any suffix.
IMAGE_SUFFIXES = frozenset(
    (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm")
)

_ORIENTATION = 0x0112  # the EXIF tag; 1 is upright


def read_image(picture: Picture, colour: Colour = "RGB") -> NDArray[np.uint8]:
    """The picture's pixels: uint8, (H, W, 3) for RGB and BGR, (H, W, 1) for L.

    Files and PIL images are turned upright by their EXIF orientation; of an animation the first
    frame counts; transparent pixels are laid on white; 16-bit grey keeps its upper 8 bits; CMYK
    and palettes are converted. An array is uint8, (H, W), (H, W, 1), (H, W, 3) in RGB order or
    (H, W, 4) in RGBA order.

    Raises:
        DataError: there is no such file, it is no image or a damaged one, or the array has another
            shape or type.
    """
    if isinstance(picture, np.ndarray):
        image = _from_array(picture)
    elif isinstance(picture, str | Path):
        image = _from_file(Path(picture))
    else:
        image = _decode(picture, "the image")
    pixels = np.asarray(_converted(image, "L" if colour == "L" else "RGB"))
    if colour == "L":
        return pixels[..., None]
    return pixels[..., ::-1] if colour == "BGR" else pixels


def open_image(
    path: Path, colour: Colour = "RGB", at_least: tuple[int, int] | None = None
) -> Image.Image:
    """The picture in a file as `read_image` has it, as a PIL image in mode RGB or L.

    With `at_least`, (width, height), a JPEG may be decoded at 1/2, 1/4 or 1/8 of its size, though
    not below that. Raises as `read_image`.
    """
    return _converted(_from_file(path, at_least), "L" if colour == "L" else "RGB")


def _from_file(path: Path, at_least: tuple[int, int] | None = None) -> Image.Image:
    from PIL import Image, UnidentifiedImageError

    try:
        image = Image.open(path)
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such file") from None
    except IsADirectoryError:
        raise DataError(f"{path} is a folder, not an image file") from None
    except UnidentifiedImageError:
        raise DataError(f"{path} is not an image in a format that Pillow reads") from None
    except Exception as error:  # a decoder may raise anything on a damaged header
        raise DataError(f"{path} cannot be read as an image: {error}") from None
    with image:
        if at_least is not None:
            image.draft(None, at_least)
        return _decode(image, str(path))


def _decode(image: Image.Image, name: str) -> Image.Image:
    """The image upright, its transparency gone, in a mode that converts to RGB and L as it is."""
    from PIL import Image, ImageOps

    try:
        image.load()
        if image.getexif().get(_ORIENTATION, 1) != 1:  # exif_transpose copies in any case
            image = ImageOps.exif_transpose(image)
        if image.mode.startswith("I"):
            return Image.fromarray(_upper_byte(np.asarray(image), name))
        if image.mode == "F":
            raise DataError(f"{name} has floating-point pixels; save it with 8 or 16 bits")
        if "A" in image.getbands() or "transparency" in image.info:
            image = image.convert("RGBA")
            backdrop = Image.new("RGBA", image.size, "white")
            return Image.alpha_composite(backdrop, image).convert("RGB")
        return _converted(image, "L" if image.mode in ("1", "L") else "RGB")
    except DataError:
        raise
    except Exception as error:  # a decoder may raise anything on damaged data
        raise DataError(f"{name} is damaged or cut short: {error}") from None


def _converted(image: Image.Image, mode: str) -> Image.Image:
    return image if image.mode == mode else image.convert(mode)


def _upper_byte(grey: NDArray[Any], name: str) -> NDArray[np.uint8]:
    if grey.size and (grey.min() < 0 or grey.max() > 0xFFFF):
        raise DataError(f"{name} has grey values outside 0..65535; save it with 8 or 16 bits")
    return (grey // 256).astype(np.uint8)


def _from_array(array: NDArray[Any]) -> Image.Image:
    from PIL import Image

    expected = "uint8, (H, W), (H, W, 1), (H, W, 3) or (H, W, 4)"
    if array.dtype != np.uint8 or array.size == 0:
        raise DataError(
            f"a picture given as an array is {expected}; got {array.dtype} {array.shape}"
        )
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    if array.ndim != 2 and (array.ndim != 3 or array.shape[2] not in (3, 4)):
        raise DataError(
            f"a picture given as an array is {expected}; got {array.dtype} {array.shape}"
        )
    return _decode(Image.fromarray(np.ascontiguousarray(array)), "the array")
