"""The boxes that offsets are relative to."""

from __future__ import annotations

import pytest

from zoohub.networks.layers.default_boxes import scaled_levels

RATIOS = ((), (2.0,))


def test_a_first_map_without_ratios_has_a_small_square_and_two_of_ratio_two() -> None:
    small, wide, high = scaled_levels(100, (10, 20), RATIOS)[0].sizes
    assert small == (10, 10)
    assert wide == pytest.approx((28.284, 14.142), abs=1e-2)
    assert high == wide[::-1]


def test_a_square_between_two_scales_comes_last_unless_it_is_left_out() -> None:
    with_it = scaled_levels(100, (10, 20), RATIOS)[1].sizes
    without = scaled_levels(100, (10, 20), RATIOS, between=False)[1].sizes
    assert without == with_it[:3]
    assert with_it[3] == pytest.approx((97.468, 97.468), abs=1e-2)
