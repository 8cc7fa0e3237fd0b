"""Activations beside their formulas."""

from __future__ import annotations

import mindspore as ms
import numpy as np
from mindspore import Tensor

from zoohub.networks.layers.activations import gelu

PLACES = np.concatenate([np.linspace(-12, 12, 4001), [-1e4, -1e3, 0.0, 1e3, 1e4]])


def by_tanh(x: np.ndarray) -> np.ndarray:
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def test_gelu_is_its_approximation_by_tanh_to_the_last_digits() -> None:
    got = gelu(exact=False)(Tensor(PLACES.astype(np.float32))).asnumpy()
    np.testing.assert_allclose(got, by_tanh(PLACES.astype(np.float32).astype(float)), 1e-5, 1e-6)


def test_gelu_has_the_gradient_of_its_formula() -> None:
    x, step = PLACES[:4001], 1e-4
    slope = ms.grad(gelu(exact=False))(Tensor(x.astype(np.float32))).asnumpy()
    expected = (by_tanh(x + step) - by_tanh(x - step)) / (2 * step)
    np.testing.assert_allclose(slope, expected, 1e-4, 1e-5)


def test_gelu_stays_finite_in_half_precision() -> None:
    x = Tensor(np.array([-60000, -300, 0, 300, 60000], np.float16))
    assert gelu(exact=False)(x).asnumpy().tolist() == [0, 0, 0, 300, 60000]
