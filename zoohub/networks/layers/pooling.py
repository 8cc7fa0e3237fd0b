"""Pooling that exports everywhere."""

from __future__ import annotations

from mindspore import Tensor, nn, ops


class GlobalAvgPool(nn.Cell):
    """(B, C, H, W) -> (B, C), the mean over the picture.

    A plain mean: ONNX export has no adaptive average pooling.
    """

    def construct(self, x: Tensor) -> Tensor:
        return ops.mean(x, (2, 3))


class ZeroPadMaxPool(nn.Cell):
    """Max pooling over 3×3 windows, stride 2, after one ring of zeros on every side.

    (B, C, H, W) -> (B, C, (H + 1) // 2, (W + 1) // 2). `nn.MaxPool2d(pad_mode="same")` puts its
    padding below and to the right only where H and W are even.
    """

    def __init__(self) -> None:
        super().__init__()
        self.pad = nn.Pad(((0, 0), (0, 0), (1, 1), (1, 1)))
        self.pool = nn.MaxPool2d(3, 2, pad_mode="valid")

    def construct(self, x: Tensor) -> Tensor:
        return self.pool(self.pad(x))
