"""Outlines of masks, filled again."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoohub.tasks.outlines import Ring, doubled_area, outlines, rings
from zoohub.tasks.run_lengths import run_lengths


def filled(borders: list[Ring], shape: tuple[int, int]) -> np.ndarray:
    """Pixels whose centre an odd number of vertical edges lies to the left of."""
    inside = np.zeros(shape, bool)
    for ring in borders:
        for (x, y), (_, below) in pairwise([*ring, ring[0]]):
            inside[min(y, below) : max(y, below), x:] ^= True
    return inside


@settings(deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    shape=st.tuples(st.integers(1, 12), st.integers(1, 12)),
    share=st.sampled_from([0.0, 0.3, 0.6, 0.9, 1.0]),
)
def test_the_borders_of_a_mask_filled_are_the_mask(
    seed: int, shape: tuple[int, int], share: float
) -> None:
    mask = np.random.default_rng(seed).random(shape) < share
    found = rings(mask)
    assert (filled(found, shape) == mask).all()
    assert sum(doubled_area(ring) for ring in found) == 2 * mask.sum()
    for ring in found:  # corners only: every edge turns
        edges = [(b[0] - a[0], b[1] - a[1]) for a, b in pairwise([*ring, *ring[:2]])]
        assert all((one[0] == 0) != (other[0] == 0) for one, other in pairwise(edges))


def test_an_outline_goes_clockwise_from_the_top() -> None:
    mask = np.zeros((5, 6), bool)
    mask[1:4, 2:5] = True
    mask[3, 4] = False
    assert outlines(mask) == [[2, 1, 5, 1, 5, 3, 4, 3, 4, 4, 2, 4]]


def test_holes_are_left_out_and_pixels_that_touch_at_a_corner_are_apart() -> None:
    ring = np.ones((3, 3), bool)
    ring[1, 1] = False
    assert outlines(ring) == [[0, 0, 3, 0, 3, 3, 0, 3]]
    assert outlines(np.eye(2, dtype=bool)) == [[0, 0, 1, 0, 1, 1, 0, 1], [1, 1, 2, 1, 2, 2, 1, 2]]
    assert outlines(np.zeros((3, 3), bool)) == []


def test_coco_reads_the_polygons_as_the_mask() -> None:
    coco = pytest.importorskip("pycocotools.mask")
    y, x = np.mgrid[:40, :60]
    mask = ((x - 30) / 25) ** 2 + ((y - 20) / 15) ** 2 < 1
    mask[30:, 20:24] = True
    polygons = run_lengths(mask).polygons()
    assert (coco.decode(coco.merge(coco.frPyObjects(polygons, 40, 60))) == mask).all()
