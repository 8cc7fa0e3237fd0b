"""CenterFace's maps as boxes with points, on maps made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from zoohub.errors import DataError
from zoohub.outputs.center_maps import center_faces


def maps(height: int = 6, width: int = 8) -> dict[str, np.ndarray]:
    channels = {"heat": 1, "sizes": 2, "offsets": 2, "landmarks": 10}
    return {n: np.zeros((2, c, height, width), np.float32) for n, c in channels.items()}


def test_a_peak_is_a_face_with_its_size_and_points() -> None:
    raw = maps()
    raw["heat"][1, 0, 2:4, 5] = 0.9, 0.5  # the second is beaten by its neighbour
    raw["heat"][1, 0, 5, 0] = 0.3
    raw["sizes"][1, :, 2, 5] = np.log(3), np.log(5)
    raw["offsets"][1, :, 2, 5] = 0.25, 0.5
    raw["landmarks"][1, :, 2, 5] = [-0.25, -0.1, 0.25, -0.1, 0, 0, -0.2, 0.3, 0.2, 0.3]
    found = center_faces(raw, (24, 32))
    assert found.points is not None
    np.testing.assert_allclose(found.boxes[1, 0], [21, 10, 12, 20], rtol=1e-6)
    wanted = [[18, 8], [24, 8], [21, 10], [18.6, 16], [23.4, 16]]
    np.testing.assert_allclose(found.points[1, 0], wanted, rtol=1e-6)
    np.testing.assert_allclose(found.scores[1, :3, 0], [0.9, 0.3, 0])
    np.testing.assert_allclose(found.boxes[1, 1], [0, 20, 4, 4])
    assert (found.scores[0] == 0).all()


def test_neighbours_as_likely_as_each_other_both_stay() -> None:
    raw = maps()
    raw["heat"][0, 0, 1, 1:3] = 0.7
    assert (center_faces(raw, (24, 32)).scores[0, :, 0] > 0).sum() == 2


def test_of_many_peaks_the_likeliest_are_candidates() -> None:
    raw = maps(64, 64)
    raw["heat"][0, 0, ::2, ::2] = np.random.default_rng(0).permutation(1024).reshape(32, 32) / 1024
    scores = center_faces(raw, (256, 256)).scores
    assert scores.shape == (2, 200, 1)
    np.testing.assert_allclose(scores[0, :, 0], np.arange(1023, 823, -1) / 1024)


@pytest.mark.parametrize("broken", ["heat", "landmarks"])
def test_other_outputs_are_refused(broken: str) -> None:
    raw = maps()
    raw[broken] = raw[broken][:, :, 1:]
    with pytest.raises(DataError, match="expected the maps heat"):
        center_faces(raw, (24, 32))
    del raw[broken]
    with pytest.raises(DataError, match="expected the maps heat"):
        center_faces(raw, (24, 32))


@pytest.mark.parametrize("name", ["heat", "sizes", "offsets", "landmarks"])
@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
def test_a_face_of_infinite_numbers_is_none(name: str, value: float) -> None:
    raw = maps()
    raw["heat"][:, 0, 2, 5] = 0.9
    raw[name][1, 0, 2, 5] = value
    with pytest.raises(DataError, match="inf or nan"):
        center_faces(raw, (24, 32))
