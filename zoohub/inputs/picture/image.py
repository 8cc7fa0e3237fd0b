"""A picture from wherever it comes, as upright 8-bit pixels."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from zoohub.core.counting import counted
from zoohub.core.paths import local_path
from zoohub.errors import DataError
from zoohub.inputs.picture.kinds import unread_format
from zoohub.inputs.picture.limits import check_size, open_limited
from zoohub.inputs.picture.pdf import PdfPage

if TYPE_CHECKING:
    from PIL import Image

Picture: TypeAlias = "str | Path | bytes | BinaryIO | Image.Image | NDArray[np.generic] | PdfPage"
Colour = Literal["RGB", "BGR", "L"]

_ORIENTATION = 0x0112  # the EXIF tag; 1 is upright


def read_image(picture: Picture, colour: Colour = "RGB") -> NDArray[np.uint8]:
    """The picture's pixels: uint8, (H, W, 3) for RGB and BGR, (H, W, 1) for L.

    Files and PIL images are turned upright by their EXIF orientation; of an animation the first
    frame counts; transparent pixels are laid on white; 16-bit grey keeps its upper 8 bits; CMYK
    and palettes are converted. An array is uint8, (H, W), (H, W, 1), (H, W, 3) in RGB order or
    (H, W, 4) in RGBA order.

    Raises:
        DataError: there is no such file, it is no image, a damaged one or one of more pixels than
            `ZOOHUB_MAX_PIXELS`, or the array has another shape or type.
    """
    if isinstance(picture, PdfPage):
        image = _from_array(picture.pixels())
    elif isinstance(picture, np.ndarray):
        image = _from_array(picture)
    elif isinstance(picture, str | os.PathLike):
        image = _from_file(local_path(picture))
    elif hasattr(picture, "getbands"):
        check_size(cast("Image.Image", picture), "the image")
        image = _decode(cast("Image.Image", picture), "the image")
    else:
        image = _from_bytes(picture)
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


def _from_bytes(picture: object) -> Image.Image:
    """The picture in a file's bytes, or in an open file from where it stands."""
    from PIL import UnidentifiedImageError

    data = picture.read() if hasattr(picture, "read") else picture
    if not isinstance(data, bytes | bytearray | memoryview):
        raise DataError(
            f"{type(picture).__name__} is no picture; give a path, a file's bytes, an open "
            "binary file, a PIL image or a uint8 array"
        )
    try:
        image = open_limited(io.BytesIO(data), "the picture")
    except DataError:
        raise
    except UnidentifiedImageError:
        raise DataError(
            f"the {counted(len(data), 'byte is', 'bytes are')} not an image in a format that "
            "Pillow reads"
        ) from None
    except Exception as error:  # a decoder may raise anything on a damaged header
        raise DataError(
            f"the {counted(len(data), 'byte')} cannot be read as an image: {error}"
        ) from None
    check_size(image, "the picture")
    return _decode(image, "the picture")


def _from_file(path: Path, at_least: tuple[int, int] | None = None) -> Image.Image:
    from PIL import UnidentifiedImageError

    try:
        image = open_limited(path)
    except DataError:
        raise
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such file") from None
    except IsADirectoryError:
        raise DataError(f"{path} is a folder, not an image file") from None
    except UnidentifiedImageError:
        if not path.stat().st_size:
            raise DataError(f"{path} is empty, so not an image; copy or save it again") from None
        raise DataError(f"{path} is {unread_format(path)}") from None
    except Exception as error:  # a decoder may raise anything on a damaged header
        raise DataError(f"{path} cannot be read as an image: {error}") from None
    with image:
        if at_least is not None:
            image.draft(None, at_least)
        check_size(image, str(path))
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


def _upper_byte(grey: NDArray[np.uint16] | NDArray[np.int32], name: str) -> NDArray[np.uint8]:
    if grey.size and (grey.min() < 0 or grey.max() > 0xFFFF):
        raise DataError(f"{name} has grey values outside 0..65535; save it with 8 or 16 bits")
    return (grey // 256).astype(np.uint8)


def _from_array(array: NDArray[np.generic]) -> Image.Image:
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
