"""What the tasks that look at pictures share."""

from __future__ import annotations

import numpy as np

from zoohub.tasks.pictures import recoloured


def test_a_picture_becomes_brighter_and_of_more_contrast_by_up_to_a_part_of_itself() -> None:
    pixels = np.arange(0, 256, 5, np.uint8).reshape(4, 13, 1).repeat(3, 2)
    assert recoloured(pixels, 0.0, np.random.default_rng(0)) is pixels
    contrast, brightness = np.random.default_rng(1).uniform(0.5, 1.5, 2)
    expected = np.clip((pixels - 128.0) * contrast + 128 * brightness, 0, 255)
    found = recoloured(pixels, 0.5, np.random.default_rng(1))
    assert np.abs(found - expected).max() <= 1
    assert found.dtype == np.uint8
