"""Pooling that exports everywhere."""

from __future__ import annotations

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.cell import Cell


class GlobalAvgPool(Cell):
    """(B, C, H, W) -> (B, C), the mean over the picture; (B, C, 1, 1) with `keep_dims`.

    A plain mean: ONNX export has no adaptive average pooling.
    """

    def __init__(self, keep_dims: bool = False) -> None:
        super().__init__()
        self.keep_dims = keep_dims

    def construct(self, x: Tensor) -> Tensor:
        return ops.mean(x, (2, 3), self.keep_dims)


class ZeroPadMaxPool(Cell):
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


class PaddedAvgPool(Cell):
    """The mean over 3×3, zeros beyond the edge counted: (B, C, H, W) -> (B, C, H / s, W / s)."""

    def __init__(self, stride: int) -> None:
        super().__init__()
        self.pad = nn.Pad(((0, 0), (0, 0), (1, 1), (1, 1)))
        self.pool = nn.AvgPool2d(3, stride, pad_mode="valid")

    def construct(self, x: Tensor) -> Tensor:
        return self.pool(self.pad(x))
