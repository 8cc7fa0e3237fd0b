"""Masks as files, arrays and shapes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from zoohub.errors import DataError
from zoohub.tasks.segmentation.masks import (
    IGNORED,
    Mask,
    Shapes,
    drawn_shapes,
    read_mask,
    resize_mask,
)

CLASSES = np.array([[0, 1, 2], [2, 1, 255]], np.uint8)


def palette(path: Path, mode: str) -> Path:
    if mode == "I;16":
        Image.fromarray(CLASSES.astype(np.uint16)).save(path)
        return path
    image = Image.fromarray(CLASSES, "P")
    image.putpalette([value for i in range(256) for value in (i, 255 - i, i // 2)])
    (image if mode == "P" else Image.fromarray(CLASSES).convert(mode)).save(path)
    return path


@pytest.mark.parametrize("mode", ["P", "L", "RGB", "I;16"])
def test_class_indices_are_read_from_palettes_and_grey_levels(tmp_path: Path, mode: str) -> None:
    assert (read_mask(palette(tmp_path / "m.png", mode)) == CLASSES).all()


def test_colours_are_refused_with_a_cure(tmp_path: Path) -> None:
    Image.fromarray(np.array([[[255, 0, 0]]], np.uint8)).save(tmp_path / "m.png")
    with pytest.raises(DataError, match=r"m\.png: a mask holds class indices.*quantize"):
        read_mask(tmp_path / "m.png")


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\nno", b"text"])
def test_what_is_no_picture_is_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "m.png").write_bytes(content)
    with pytest.raises(DataError, match="cannot be read"):
        read_mask(tmp_path / "m.png")


def test_classes_renumbered_keep_what_is_ignored() -> None:
    mask = Mask(CLASSES).renumbered(np.array([2, 0, 1]))
    assert mask.read().tolist() == [[2, 0, 1], [1, 0, IGNORED]]
    assert mask.renumbered(np.array([0, 2, 1])).read().tolist() == [[1, 0, 2], [2, 0, IGNORED]]


def test_a_larger_mask_repeats_pixels_and_a_smaller_one_takes_those_at_the_centres() -> None:
    larger = resize_mask(CLASSES, 4, 6)
    assert (larger == CLASSES.repeat(2, 0).repeat(2, 1)).all()
    assert (resize_mask(larger, 2, 3) == CLASSES).all()
    assert resize_mask(CLASSES, 1, 1).tolist() == [[1]]


def test_shapes_cover_each_other_in_order_and_crowds_are_ignored() -> None:
    square = [[0, 0, 4, 0, 4, 4, 0, 4]]
    corner = [[2, 2, 4, 2, 4, 4, 2, 4]]
    rle = {"size": [4, 6], "counts": [20, 4]}
    found = drawn_shapes(Shapes((4, 6), ((1, square), (2, corner)), (rle,)))
    assert found[0, 0] == 1
    assert found[3, 3] == 2
    assert (found[:, 4] == 0).all()
    assert (found[:, 5] == IGNORED).all()


@pytest.mark.parametrize("shape", [[[1, 2]], {"size": [4, 6]}, "polygon", [["x", "y"]]])
def test_a_broken_shape_is_one_line(shape: object) -> None:
    with pytest.raises(DataError, match=r"segmentation|run-length"):
        drawn_shapes(Shapes((4, 6), ((1, shape),)))
