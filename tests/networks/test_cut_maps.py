"""A doubled map that has a row too many is cut, which is what enlarging by 1.95 gives."""

from __future__ import annotations

import mindspore as ms
import numpy as np
import pytest
from mindspore import Tensor

from zoohub.networks.layers.routing import CutConcat, Upsample2x


@pytest.mark.parametrize("mode", [ms.PYNATIVE_MODE, ms.GRAPH_MODE], ids=["pynative", "graph"])
@pytest.mark.parametrize(("height", "width"), [(25, 25), (3, 24), (24, 7)])
def test_it_is_the_nearest_neighbour_of_any_odd_size(mode: int, height: int, width: int) -> None:
    """MindOCR enlarges the 13×13 map of 800 pixels to 25×25: row i is row floor(i · 13 / 25)."""
    small = (height + 1) // 2, (width + 1) // 2
    random = np.random.default_rng(0)
    coarse = random.random((2, 3, *small), dtype=np.float32)
    fine = random.random((2, 4, height, width), dtype=np.float32)
    before = ms.get_context("mode")
    ms.set_context(mode=mode)
    joined = CutConcat()((Upsample2x()(Tensor(coarse)), Tensor(fine))).asnumpy()
    ms.set_context(mode=before)
    rows, columns = (
        [i * less // more for i in range(more)]
        for more, less in zip((height, width), small, strict=True)
    )
    np.testing.assert_array_equal(joined[:, :3], coarse[:, :, rows][..., columns])
    np.testing.assert_array_equal(joined[:, 3:], fine)


def test_no_odd_size_differs() -> None:
    for odd in range(1, 1001, 2):
        less = (odd + 1) // 2
        assert [i * less // odd for i in range(odd)] == [i // 2 for i in range(odd)]
