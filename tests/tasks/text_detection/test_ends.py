"""Texts by the pixels near their ends, as AdvancedEAST sees them."""

from __future__ import annotations

from pathlib import Path

import mindspore as ms
import numpy as np
import pytest
from PIL import Image

import zoohub
from zoohub.errors import DataError
from zoohub.outputs.text_areas import TextEnds, text_ends
from zoohub.tasks.text_detection.ends import end_outlines

SIZE = (64, 128)
UPRIGHT = [[20, 10], [100, 14], [100, 34], [20, 30]]  # clockwise from the top left


def drawn(*texts: list[list[int]], ends: tuple[int, ...] = (0, 1)) -> np.ndarray:
    """Maps at 1/4 on which each text's quarter at each side knows the corners there."""
    maps = np.zeros((7, SIZE[0] // 4, SIZE[1] // 4), np.float32)
    for corners in texts:
        (left, top), (right, bottom) = np.min(corners, axis=0), np.max(corners, axis=0)
        rows, columns = np.mgrid[top // 4 : bottom // 4, left // 4 : right // 4].reshape(2, -1)
        maps[0, rows, columns] = 0.9
        quarter = (right - left) / 16
        for end, pair in ((0, (0, 3)), (1, (2, 1))):
            near = columns < left / 4 + quarter if end == 0 else columns >= right / 4 - quarter
            y, x = rows[near], columns[near]
            maps[1, y, x] = 0.95 if end in ends else 0.7
            maps[2, y, x] = 0.02 + 0.96 * end
            for place, corner in enumerate(pair):
                maps[3 + 2 * place, y, x] = corners[corner][0] - (x + 0.5) * 4
                maps[4 + 2 * place, y, x] = corners[corner][1] - (y + 0.5) * 4
    return maps


def test_a_text_has_the_corners_that_its_ends_know() -> None:
    other = [[4, 40], [60, 40], [60, 60], [4, 60]]
    maps = drawn(UPRIGHT, other)
    maps[0] += (maps[0] > 0) * np.linspace(0, 0.05, maps.shape[1], dtype=np.float32)[:, None]
    found = end_outlines(maps, SIZE)
    assert [outline.score for outline in found] == sorted((o.score for o in found), reverse=True)
    np.testing.assert_allclose(found[1].points, UPRIGHT, atol=0.02)
    np.testing.assert_allclose(found[0].points, other, atol=0.02)


def test_a_text_without_an_end_or_below_the_least_is_none() -> None:
    assert end_outlines(drawn(UPRIGHT, ends=(0,)), SIZE) == []
    assert end_outlines(drawn(UPRIGHT), SIZE, least=0.91) == []
    unsure = drawn(UPRIGHT)
    unsure[2] = np.where(unsure[1] > 0, 0.15, 0)
    assert end_outlines(unsure, SIZE) == []
    assert end_outlines(np.zeros((7, 4, 4), np.float32), (16, 16)) == []


def test_corners_beyond_all_numbers_are_far_away() -> None:
    maps = drawn(UPRIGHT)
    maps[3:] *= np.float32(1e30)
    ((points),) = (outline.points for outline in end_outlines(maps, SIZE))
    assert np.isfinite(points).all()


def test_a_tall_text_ends_at_its_top_and_bottom() -> None:
    maps = np.zeros((7, 16, 8), np.float32)
    corners = np.array([[8, 4], [20, 4], [20, 60], [8, 60]])
    maps[0, 1:15, 2:5] = 0.9
    for end, rows, pair in ((0, (1, 2, 3), (0, 1)), (1, (12, 13, 14), (3, 2))):
        y, x = np.array([(row, column) for row in rows for column in (2, 3, 4)]).T
        maps[1, y, x], maps[2, y, x] = 0.95, float(end)
        for place, corner in enumerate(pair):
            maps[3 + 2 * place, y, x] = corners[corner][0] - (x + 0.5) * 4
            maps[4 + 2 * place, y, x] = corners[corner][1] - (y + 0.5) * 4
    (found,) = end_outlines(maps, (64, 32))
    np.testing.assert_allclose(found.points, corners, atol=0.02)


def test_pixels_that_touch_at_a_corner_are_of_one_text() -> None:
    maps = drawn(UPRIGHT)
    touching = maps[0] > 0
    maps[0, :, 14:16] = 0
    assert len(end_outlines(maps, SIZE)) == 0  # two halves, of which each lacks an end
    row = int(np.flatnonzero(touching.any(axis=1))[2])
    maps[0, row, 14], maps[0, row + 1, 15] = 0.9, 0.9
    (found,) = end_outlines(maps, SIZE)
    np.testing.assert_allclose(found.points, UPRIGHT, atol=0.02)


def test_three_maps_are_logits() -> None:
    raw = np.zeros((1, 7, 2, 2), np.float32)
    raw[0, 3:] = 5
    form = text_ends({"points": raw}, (8, 8))
    assert isinstance(form, TextEnds)
    assert (form.maps[0, :3] == 0.5).all()
    assert (form.maps[0, 3:] == 5).all()
    assert (raw[0, :3] == 0).all()  # the network's own stays
    with pytest.raises(DataError, match=r"expected 7 maps"):
        text_ends({"points": raw[:, :5]}, (8, 8))
    with pytest.raises(DataError, match=r"expected maps .* got float32 \(1, 7, 0, 2\)"):
        text_ends({"points": raw[:, :, :0]}, (8, 8))  # which OpenCV crashed over


@pytest.mark.slow
def test_it_predicts_and_its_exports_do(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    ms.set_seed(0)
    net = zoohub.load("advancedeast")
    picture = tmp_path / "a.png"
    random = np.random.default_rng(0)
    Image.fromarray(random.integers(0, 256, (420, 448, 3), dtype=np.uint8)).save(picture)
    (whole,) = zoohub.predict(net, picture, threshold=0.3)
    assert whole.predictions
    polygons = []
    for suffix in ("onnx", "mindir"):
        dynamic = {"batch", "height", "width"}
        path = tmp_path / f"a.{suffix}"
        file = zoohub.export(net, path, size=(128, 128), dynamic=dynamic, check=True)
        (found,) = zoohub.predict(file, picture, threshold=0.3)
        polygons.append([area.polygon for area in found.predictions])
    np.testing.assert_allclose(*polygons, atol=1)
    assert polygons[0]
