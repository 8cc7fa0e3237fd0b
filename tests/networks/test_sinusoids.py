"""Places told by sines and cosines are the same wherever a network takes them."""

from __future__ import annotations

import numpy as np

from zoohub.networks.layers.distances import FixedDistances
from zoohub.networks.layers.sinusoids import sinusoids


def test_they_are_the_papers() -> None:
    found = sinusoids(5, 6)
    assert found.dtype == np.float32
    for place in range(5):
        for pair in range(3):
            angle = place / 10000 ** (2 * pair / 6)
            np.testing.assert_allclose(
                found[place, 2 * pair : 2 * pair + 2], [np.sin(angle), np.cos(angle)], atol=1e-6
            )


def test_a_distance_is_told_by_its_row_and_beyond_the_longest_by_the_last() -> None:
    table = FixedDistances(longest=2, channels=6, most=5).positions_encoding.asnumpy()
    rows = sinusoids(5, 6)
    assert (table[1, 1] == rows[2]).all()
    assert (table[1, 2] == rows[3]).all()
    assert (table[0, 4] == rows[4]).all()
    assert (table[4, 0] == rows[0]).all()
