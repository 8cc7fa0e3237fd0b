"""Maps resized, and maps that groups of rows do not divide."""

from __future__ import annotations

import numpy as np
import pytest
from mindspore import Tensor

from zoohub.networks.layers.resample import resize_corners
from zoohub.networks.snn_mlp.network import SpikingNeurons

MAPS = np.random.default_rng(0).standard_normal((2, 3, 5, 7)).astype(np.float32)


def line(old: int, new: int) -> np.ndarray:
    """(new, old): what each new place takes of the old ones."""
    places = np.linspace(0, old - 1, new)
    return np.maximum(0, 1 - np.abs(places[:, None] - np.arange(old)))


@pytest.mark.parametrize("size", [(5, 7), (6, 8), (10, 3), (2, 14)])
def test_maps_are_resized_between_their_corners(size: tuple[int, int]) -> None:
    got = resize_corners(Tensor(MAPS), *size).asnumpy()
    expected = line(5, size[0]) @ MAPS @ line(7, size[1]).T
    np.testing.assert_allclose(got, expected, 1e-5, 1e-5)


@pytest.mark.parametrize("rows", [4, 5, 3])
def test_rows_that_neurons_cannot_group_stay_as_they_are(rows: int) -> None:
    neurons = SpikingNeurons(steps=4)
    maps = MAPS[:, :, [0, 1, 2, 3, 4][:rows]]
    got = neurons(Tensor(maps)).asnumpy()
    grouped = rows // 4 * 4
    np.testing.assert_array_equal(got[:, :, grouped:], maps[:, :, grouped:])
    first = np.maximum(maps[:, :, :grouped][:, :, :1], 0.25)  # what passes is above the threshold
    np.testing.assert_allclose(got[:, :, :grouped][:, :, :1], first, 1e-6)
