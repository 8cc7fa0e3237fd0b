"""Boxes chosen from heat over points, beside a plain loop."""

from __future__ import annotations

from collections.abc import Iterator

import mindspore as ms
import numpy as np
import pytest
from mindspore import Tensor

from zoohub.networks.centernet.points import STRIDE, TopPoints

COUNT = 6


@pytest.fixture(params=[ms.PYNATIVE_MODE, ms.GRAPH_MODE], ids=["pynative", "graph"])
def _mode(request: pytest.FixtureRequest) -> Iterator[None]:
    before = ms.get_context("mode")
    ms.set_context(mode=request.param)
    yield
    ms.set_context(mode=before)


def plain(heat: np.ndarray, sizes: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """One picture's best points, by looking at each one's eight neighbours."""
    scores = 1 / (1 + np.exp(-heat.astype(np.float64)))
    classes, high, wide = heat.shape
    rows = []
    for c in range(classes):
        for y in range(high):
            for x in range(wide):
                around = scores[c, max(0, y - 1) : y + 2, max(0, x - 1) : x + 2]
                if around.max() > scores[c, y, x]:
                    continue
                centre = np.array([x, y]) + offsets[:, y, x]
                half = sizes[:, y, x] / 2
                corners = STRIDE * np.concatenate([centre - half, centre + half])
                rows.append([*corners, scores[c, y, x], c])
    rows.sort(key=lambda row: -row[4])
    return np.array(rows[:COUNT])


@pytest.mark.usefixtures("_mode")
def test_the_highest_of_their_neighbourhood_become_boxes_in_pixels_of_the_input() -> None:
    rng = np.random.default_rng(3)
    heat = rng.normal(0, 2, (2, 3, 5, 7)).astype(np.float32)
    sizes = rng.uniform(1, 9, (2, 2, 5, 7)).astype(np.float32)
    offsets = rng.uniform(0, 1, (2, 2, 5, 7)).astype(np.float32)
    found = TopPoints(COUNT)(Tensor(heat), Tensor(sizes), Tensor(offsets)).asnumpy()
    assert found.shape == (2, COUNT, 6)
    for picture in range(2):
        expected = plain(heat[picture], sizes[picture], offsets[picture])
        np.testing.assert_allclose(found[picture], expected, rtol=1e-5, atol=1e-5)


def test_a_plateau_that_differs_by_rounding_counts_as_high_everywhere() -> None:
    heat = np.full((1, 1, 1, 8), -9.0, np.float32)
    heat[0, 0, 0, 2:4] = 1.0, 1.0005
    nothing = np.zeros((1, 2, 1, 8), np.float32)
    found = TopPoints(2)(Tensor(heat), Tensor(nothing), Tensor(nothing)).asnumpy()[0]
    assert sorted(found[:, 0].tolist()) == [2 * STRIDE, 3 * STRIDE]
