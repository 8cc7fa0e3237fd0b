"""Resizing of maps to a size that is known only when the network runs."""

from __future__ import annotations

from mindspore import Tensor, nn, ops


class RepeatPixels(nn.Cell):
    """(B, C, H, W), and a map whose H' and W' to take -> (B, C, H', W'): the nearest pixel above
    and to the left, so that whole multiples repeat each."""

    def __init__(self) -> None:
        super().__init__()
        # ops.interpolate formats its errors first, which graph mode cannot for an open size.
        self.resize = ops.auto_generate.ResizeNearestNeighborV2()

    def construct(self, x: Tensor, like: Tensor) -> Tensor:
        return self.resize(x, like.shape[2:])


class CornerResize(nn.Cell):
    """(B, C, H, W), and a map whose H' and W' to take -> (B, C, H', W').

    The corners' pixels stay in the corners ("align corners"). `mode` is "bilinear" or "nearest".
    """

    def __init__(self, mode: str) -> None:
        super().__init__()
        self.resize = (
            ops.auto_generate.ResizeBilinearV2(align_corners=True)
            if mode == "bilinear"
            else ops.auto_generate.ResizeNearestNeighborV2(align_corners=True)
        )

    def construct(self, x: Tensor, like: Tensor) -> Tensor:
        return self.resize(x, like.shape[2:])
