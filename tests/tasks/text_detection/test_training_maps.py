"""What DBNet learns, drawn from outlines, and how its training pictures come."""

from __future__ import annotations

import numpy as np
import pytest

from zoohub.tasks.text_detection.probability_map import map_outlines
from zoohub.tasks.text_detection.shapes import enlarged, moved
from zoohub.tasks.text_detection.training_maps import text_maps
from zoohub.tasks.text_detection.training_rows import placing, visible_parts

pytest.importorskip("cv2")
pytest.importorskip("shapely")

BOX = np.array([[20, 20], [120, 20], [120, 60], [20, 60]], np.float32)


def test_the_inner_part_is_as_far_inwards_as_the_paper_says() -> None:
    inner, learnt, threshold, border = text_maps([BOX], [False], (100, 160), 0.4)
    # Area 4000, perimeter 280: 4000 · (1 - 0.16) / 280 = 12 pixels.
    rows, columns = np.nonzero(inner)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (32, 48, 32, 108)
    assert learnt.min() == 1
    assert threshold[40, 20] == pytest.approx(0.7)  # on the outline
    assert threshold[20, 70] == pytest.approx(0.7)
    assert threshold[40, 26] == pytest.approx(0.5)  # half way
    assert threshold[14, 70] == pytest.approx(0.5)
    assert threshold[40, 70] == pytest.approx(0.3)
    assert threshold[0, 0] == pytest.approx(0.3)
    assert border[8:72, 20:120].min() == 1
    assert border[:7].max() == border[:, :7].max() == 0


def test_what_the_maps_say_is_found_again() -> None:
    turned = (BOX - (70, 40)) @ np.array([[0.9, 0.3], [-0.3, 0.9]]).T + (80, 60)
    inner, *_ = text_maps([turned], [False], (128, 160), 0.4)
    (found,) = map_outlines(inner)
    # 1.5 times area / perimeter of the inner part is not all the way back, as in the paper.
    assert np.abs(found.points - turned).max() < 6


def test_ignored_and_tiny_texts_are_not_learnt() -> None:
    tiny = np.array([[2, 80], [60, 80], [60, 85], [2, 85]], np.float32)
    inner, learnt, _, border = text_maps([BOX, tiny], [True, False], (100, 160), 0.4)
    assert inner.max() == border.max() == 0
    assert learnt[40, 70] == learnt[82, 30] == 0
    assert learnt[10, 10] == 1


def test_a_picture_without_text_teaches_that_there_is_none() -> None:
    inner, learnt, threshold, border = text_maps([], [], (32, 32), 0.4)
    assert inner.max() == border.max() == 0
    assert learnt.min() == 1
    assert threshold == pytest.approx(0.3)


def test_pictures_are_put_into_the_input_whole() -> None:
    random = np.random.default_rng(0)
    matrix = placing((50, 100), (64, 128), 1.0, 0.0, random)
    corners = np.array([[0, 0], [100, 50]]) @ matrix[:, :2].T + matrix[:, 2]
    assert corners[0].min() >= -1e-6
    assert corners[1] == pytest.approx(corners[0] + (128, 64))
    for _ in range(20):  # enlarged, a piece of it fills the input
        matrix = placing((50, 100), (64, 128), 2.0, 0.0, random)
        (left, top), (right, bottom) = (
            np.array([[0, 0], [100, 50]]) @ matrix[:, :2].T + matrix[:, 2]
        )
        assert left <= 1e-6
        assert top <= 1e-6
        assert right >= 128 - 1e-6
        assert bottom >= 64 - 1e-6


def test_a_polygon_is_moved_by_pixels_either_way() -> None:
    for distance in (-12, 5):
        (found,) = moved(BOX, distance)
        assert found.min(0).tolist() == [20 - distance, 20 - distance]
        assert found.max(0).tolist() == [120 + distance, 60 + distance]
    assert moved(BOX, -21) == []
    # Area 4000, perimeter 280.
    ((found,), (same,)) = enlarged(BOX, 1.4), moved(BOX, 20)
    assert (found == same).all()
    assert enlarged(np.full((4, 2), 7), 1.4) == []


def test_of_a_text_what_is_in_the_picture_stays() -> None:
    ((same, whole),) = visible_parts(BOX, (100, 160))
    assert whole == 1
    assert same is BOX
    ((part, share),) = visible_parts(BOX, (100, 71))
    assert share == pytest.approx(0.5)
    assert part[:, 0].max() == 70
    assert visible_parts(BOX + 500, (100, 160)) == []
