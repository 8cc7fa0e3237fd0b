"""The page that a run leaves behind."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from zoohub.tasks.classification.panels import _thumbnail
from zoohub.tasks.samples import Samples

GREY = np.full((4, 6), 0x4000, np.uint16)
CLEAR = Image.new("RGBA", (6, 4), (0, 0, 0, 0))
ROTATED = Image.Exif()
ROTATED[0x0112] = 6


@pytest.mark.parametrize(
    ("image", "options", "size", "colour"),
    [
        (CLEAR, {}, (6, 4), (255, 255, 255)),
        (Image.fromarray(GREY), {}, (6, 4), (64, 64, 64)),
        (Image.new("RGB", (6, 4), "red"), {"exif": ROTATED}, (4, 6), (255, 0, 0)),
    ],
    ids=["transparent", "16 bits", "rotated"],
)
def test_a_mistake_is_shown_as_the_network_saw_it(
    image: Image.Image,
    options: dict[str, object],
    size: tuple[int, int],
    colour: tuple[int, int, int],
    tmp_path: Path,
) -> None:
    image.save(tmp_path / "a.png", **options)  # type: ignore[arg-type]
    samples = Samples([tmp_path / "a.png"], [0], ["a.png"])
    content, _ = _thumbnail(samples, 0)
    with Image.open(io.BytesIO(content)) as shown:
        assert shown.size == size
        assert shown.getpixel((0, 0)) == colour
