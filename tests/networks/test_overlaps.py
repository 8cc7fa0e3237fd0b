"""What the detectors' losses share, beside NumPy in double precision."""

from __future__ import annotations

import mindspore as ms
import numpy as np
import pytest
from mindspore import Tensor

from zoohub.networks.layers.overlaps import cross_entropy, larger, smaller

LOGITS = np.array([0.0, -0.0, 1e-6, -1e-6, 0.5, -3.0, 30.0, -30.0, 1e4, -1e4], np.float32)


@pytest.mark.parametrize("truth", [0.0, 0.25, 1.0])
def test_the_gradient_of_a_logit_is_its_probability_less_the_truth(truth: float) -> None:
    wanted = np.full(LOGITS.shape, truth, np.float32)
    value = cross_entropy(Tensor(LOGITS), Tensor(wanted)).asnumpy()
    wide = LOGITS.astype(np.float64)
    np.testing.assert_allclose(value, np.logaddexp(0, wide) - wide * truth, rtol=1e-6, atol=1e-6)
    gradient = ms.grad(lambda logits: cross_entropy(logits, Tensor(wanted)).sum())(Tensor(LOGITS))
    with np.errstate(over="ignore"):
        expected = 1 / (1 + np.exp(-wide)) - truth
    np.testing.assert_allclose(gradient.asnumpy(), expected, rtol=1e-5, atol=1e-6)


def test_of_two_shapes_the_smaller_and_the_larger() -> None:
    row = np.array([[1.0, -2.0, 3.0]], np.float32)
    column = np.array([[0.0], [2.0]], np.float32)
    for rule, same in ((smaller, np.minimum), (larger, np.maximum)):
        for one, other in ((row, column), (column, row), (row, -row)):
            found = rule(Tensor(one), Tensor(other)).asnumpy()
            np.testing.assert_array_equal(found, same(one, other))
