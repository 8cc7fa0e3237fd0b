"""Text cut out of pictures as MindOCR's tools do it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from zoohub.inputs.picture.text_crop import clockwise, crop_corners, crop_text

pytest.importorskip("cv2")
CASES = json.loads(
    (Path(__file__).parents[2] / "data" / "text_detection" / "crop.json").read_text()
)


def picture() -> np.ndarray:
    y, x = np.mgrid[:120, :200]
    return np.stack([(3 * x + y) % 256, (x + 5 * y) % 256, (x * y) % 256], -1).astype(np.uint8)


@pytest.mark.parametrize("case", CASES["crops"], ids=lambda case: case["box_type"])
def test_crops_are_upstreams(case: dict) -> None:
    corners = crop_corners(case["points"], (120, 200))
    assert corners is not None
    crop = crop_text(picture(), corners)
    assert list(crop.shape) == case["shape"]
    assert crop.mean((0, 1)) == pytest.approx(case["mean"], abs=0.01)
    assert crop[0, 0].tolist() == case["corner"]
    assert crop[crop.shape[0] // 2, crop.shape[1] // 2].tolist() == case["centre"]


def test_corners_go_clockwise_from_the_top_left() -> None:
    slanted, tip, upright = CASES["order_points_clockwise"]
    for case in (slanted, upright):
        assert clockwise(case["points"]).tolist() == case["ordered"]
    # Upstream names one corner twice and drops another of a square on its tip.
    assert clockwise(tip["points"]).tolist() == [[60, 10], [110, 60], [60, 110], [10, 60]]
    shuffled = np.array([[5, 9], [1, 2], [6, 3], [0, 8]], np.float32)
    assert clockwise(shuffled).tolist() == [[1, 2], [6, 3], [5, 9], [0, 8]]


def test_what_has_no_area_is_not_cut_out() -> None:
    assert crop_corners([[5, 5], [5, 5], [5, 5], [5, 5]], (50, 50)) is None
    assert crop_corners([[70, 5], [90, 5], [90, 20], [70, 20]], (50, 50)) is None  # outside
    assert crop_corners([[0, 0], [5, 5]], (50, 50)) is None
    (top, *_) = crop_corners([[-9, -9], [30, -9], [30, 20], [-9, 20]], (50, 50))  # type: ignore[misc]
    assert top.tolist() == [0, 0]


def test_a_grey_picture_keeps_its_channel_and_a_column_of_text_is_turned() -> None:
    grey = picture()[..., :1]
    assert crop_text(grey, [[20, 20], [120, 20], [120, 40], [20, 40]]).shape == (20, 100, 1)
    assert crop_text(grey, [[20, 20], [40, 20], [40, 50], [20, 50]]).shape == (20, 30, 1)
    assert crop_text(grey, [[20, 20], [40, 20], [40, 49], [20, 49]]).shape == (29, 20, 1)


def test_without_opencv_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    from zoohub.errors import ZoohubError

    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(ZoohubError, match=r"needs cv2 .*: pip install 'zoohub\[ocr\]'"):
        crop_text(picture(), [[20, 20], [120, 20], [120, 40], [20, 40]])
