"""Overlapping patches beside their definition, written out in NumPy for this test."""

from __future__ import annotations

import mindspore as ms
import numpy as np
import pytest
from mindspore import Tensor, ops

from zoohub.networks.layers.patches import fold, unfold

FORMS = [(3, 2, 1, 8, 8), (3, 1, 1, 5, 7), (3, 2, 1, 7, 9), (4, 2, 0, 8, 10)]


def windows(x: np.ndarray, kernel: int, stride: int, padding: int) -> np.ndarray:
    """(B, C, H, W) -> (B, C, kernel², h, w)."""
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    rows, columns = ((side - kernel) // stride + 1 for side in x.shape[2:])
    found = np.zeros((*x.shape[:2], kernel * kernel, rows, columns), np.float32)
    for row in range(rows):
        for column in range(columns):
            top, left = row * stride, column * stride
            window = x[:, :, top : top + kernel, left : left + kernel]
            found[..., row, column] = window.reshape(*x.shape[:2], -1)
    return found


@pytest.mark.parametrize(("kernel", "stride", "padding", "height", "width"), FORMS)
def test_windows_are_taken_and_added_up_again(
    kernel: int, stride: int, padding: int, height: int, width: int
) -> None:
    """Adding up is the transpose of taking: <fold(y), x> = <y, unfold(x)> for all x and y."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2, 3, height, width)).astype(np.float32)
    expected = windows(x, kernel, stride, padding)
    taken = unfold(Tensor(x), kernel, stride, padding).asnumpy()
    np.testing.assert_array_equal(taken.swapaxes(1, 2), expected)

    y = rng.standard_normal(expected.shape).astype(np.float32)

    def added(y: Tensor) -> Tensor:
        total = fold(y, kernel, stride, padding, height, width)
        assert total.shape == x.shape
        return ops.sum(total * Tensor(x))

    value, gradient = ms.value_and_grad(added)(Tensor(y))
    assert float(value.asnumpy()) == pytest.approx(float((y * expected).sum()), rel=1e-4)
    np.testing.assert_array_equal(gradient.asnumpy(), expected)

    back = Tensor(y.swapaxes(1, 2))
    gradient = ms.grad(lambda x: ops.sum(unfold(x, kernel, stride, padding) * back))(Tensor(x))
    again = fold(Tensor(y), kernel, stride, padding, height, width).asnumpy()
    np.testing.assert_allclose(gradient.asnumpy(), again, rtol=1e-5, atol=1e-5)
