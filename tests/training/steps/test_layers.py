"""Freezing and layer-wise learning rates go by the names of the parameters."""

from __future__ import annotations

import pytest

from zoohub.errors import RecipeError
from zoohub.training.steps.layers import block_of, frozen_names, layer_scales

NAMES = [
    "conv1.weight",
    "bn1.gamma",
    "layer1.0.conv1.weight",
    "layer1.0.bn1.gamma",
    "layer1.1.conv1.weight",
    "fc.weight",
    "fc.bias",
]


def test_a_block_ends_with_the_first_number() -> None:
    assert [block_of(name) for name in NAMES[1:5]] == ["bn1", "layer1.0", "layer1.0", "layer1.1"]


def test_rates_fall_with_the_distance_from_the_head() -> None:
    scales = layer_scales(NAMES, 0.5, ["fc"])
    assert scales == [1 / 16, 1 / 8, 1 / 4, 1 / 4, 1 / 2, 1, 1]
    assert layer_scales(NAMES, None, ["fc"]) == [1] * 7


def test_without_a_known_head_the_last_block_learns_fastest() -> None:
    assert layer_scales(NAMES, 0.5)[-3:] == [1 / 2, 1, 1]


def test_a_prefix_freezes_what_lies_under_it_and_not_its_namesakes() -> None:
    names = [*NAMES, "layer10.weight"]
    assert frozen_names(names, ["layer1"]) == set(NAMES[2:5])


def test_freezing_everything_or_nothing_that_exists_is_refused() -> None:
    with pytest.raises(RecipeError, match="nothing is left to train"):
        frozen_names(NAMES[5:], ["fc"])
    with pytest.raises(RecipeError, match=r"'head' is no part .* conv1, bn1, layer1\.0"):
        frozen_names(NAMES, ["head"])
