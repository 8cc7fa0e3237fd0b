"""Drawing boxes."""

import errno
import os
import stat
from pathlib import Path
from typing import IO

import numpy as np
import pytest
from PIL import Image

from zoohub.errors import DataError
from zoohub.tasks.detection.drawing import draw_boxes
from zoohub.tasks.pictures import class_colour, save_image, text_colour
from zoohub.tasks.results import Label

GREY = np.full((200, 300, 3), 90, np.uint8)


def test_a_box_has_its_classs_colour_and_the_picture_stays_as_it_was():
    before = GREY.copy()
    image = draw_boxes(GREY, [Label("cat", 15, 0.9, (50, 60, 250, 180))])
    assert np.array_equal(before, GREY)
    assert image.size == (300, 200)
    for point in ((50, 150), (250, 150), (150, 180)):
        assert image.getpixel(point) == class_colour(15)
    assert image.getpixel((150, 120)) == (90, 90, 90)


def test_the_caption_is_written_above_the_box_or_inside_it_at_the_top():
    colour = class_colour(15)
    for top, row in ((60, 55), (0, 5)):
        image = draw_boxes(GREY, [Label("cat", 15, 0.9, (50, top, 250, 180))])
        patch = np.asarray(image)[row - 5 : row + 5, 50:90].reshape(-1, 3).astype(int)
        assert (patch == colour).all(axis=1).mean() > 0.3
        letters = np.abs(patch - text_colour(colour)).max(axis=1)  # small letters are antialiased
        assert (letters < 60).mean() > 0.05


@pytest.mark.parametrize(
    "box", [(-20, -20, 400, 300), (299, 199, 300, 200), (10, 10, 10, 10), (20, 20, 5, 5)]
)
def test_boxes_at_or_beyond_the_edges_are_drawn(box):
    image = draw_boxes(GREY, [Label("a very long class name, longer than that", 3, 0.5, box)])
    assert (np.asarray(image) != 90).any()


def test_neighbouring_classes_have_colours_far_apart():
    colours = np.array([class_colour(index) for index in range(80)], int)
    steps = np.abs(np.diff(colours, axis=0)).sum(axis=1)
    assert steps.min() > 150
    assert len({tuple(colour) for colour in colours.tolist()}) == 80


@pytest.mark.parametrize("index", range(0, 80, 7))
def test_text_contrasts_with_every_colour(index):
    background = class_colour(index)
    difference = np.abs(np.subtract(background, text_colour(background))) @ (0.299, 0.587, 0.114)
    assert difference > 100


def test_the_picture_is_saved_by_its_suffix_and_folders_are_made(tmp_path: Path):
    image = draw_boxes(GREY, [])
    for suffix in ("png", "jpg", "webp"):
        path = save_image(image, tmp_path / "new" / f"a.{suffix}")
        assert Image.open(path).size == (300, 200)
    with pytest.raises(DataError, match="suffix"):
        save_image(image, tmp_path / "a.txt")
    with pytest.raises(DataError, match="cannot be written"):
        save_image(image, tmp_path / "new" / "a.png" / "b.png")


def test_a_drawing_is_written_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = save_image(Image.new("RGB", (8, 8), "red"), tmp_path / "drawn" / "a.png")
    before = file.read_bytes()

    def full(image: Image.Image, file: IO[bytes], *arguments: object, **more: object) -> None:
        file.write(b"half of it")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", full)
    with pytest.raises(DataError, match=r"a\.png cannot be written: .*No space left"):
        save_image(Image.new("RGB", (8, 8)), file)
    assert [path.read_bytes() for path in file.parent.iterdir()] == [before]


@pytest.mark.skipif(os.name == "nt", reason="modes and links of POSIX")
def test_a_drawing_goes_where_a_link_leads_and_keeps_the_mode(tmp_path: Path) -> None:
    target, link = tmp_path / "target.png", tmp_path / "link.png"
    target.write_bytes(b"before")
    target.chmod(0o600)
    link.symlink_to(target)
    save_image(Image.new("RGB", (8, 8), "red"), link)
    assert link.is_symlink()
    assert Image.open(target).size == (8, 8)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
