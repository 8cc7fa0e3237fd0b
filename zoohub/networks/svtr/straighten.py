"""A spatial transformer that straightens a line of text before it is read.

Source: Shi et al., "Robust Scene Text Recognition with Automatic Rectification" (2016), with the
thin plate splines of Bookstein (1989). Parameter names are those of MindOCR.
"""

from __future__ import annotations

import numpy as np
from mindspore import Tensor, nn, ops
from mindspore import dtype as mstype
from numpy.typing import NDArray

from zoohub.networks.layers.conv import conv_norm

_POINTS = 20  # half of them above the line, half below
_SEEN = (32, 64)  # the size at which the points are looked for
_GIVEN = (32, 100)
_MARGIN = 0.05
_START = 0.01  # of the points before training
_WIDTHS = (32, 64, 128, 256, 256, 256)


def _points(margin: float) -> NDArray[np.float64]:
    """Control points (x, y) as shares of the picture: evenly along its upper and lower edge."""
    x = np.linspace(margin, 1 - margin, _POINTS // 2)
    above, below = np.full_like(x, margin), np.full_like(x, 1 - margin)
    return np.concatenate([np.stack([x, above], 1), np.stack([x, below], 1)])


def _bending(places: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """r² log r of every place's distance to every point."""
    square = ((places[:, None] - points[None]) ** 2).sum(2)
    # log 0 is never used: the square before it is 0.
    return 0.5 * square * np.log(np.where(square == 0, 1.0, square))


def _spline() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What turns the points' positions into a spline, and a spline into every pixel's place."""
    points = _points(_MARGIN)
    count = len(points)
    system = np.zeros((count + 3, count + 3))
    system[:count, :count] = _bending(points, points)
    system[:count, count] = system[count, :count] = 1
    system[:count, count + 1 :] = points
    system[count + 1 :, :count] = points.T
    high, wide = _GIVEN
    y, x = np.divmod(np.arange(high * wide), wide)
    pixels = np.stack([x / (wide - 1), y / (high - 1)], 1)
    ones = np.ones((len(pixels), 1))
    return np.linalg.inv(system), np.concatenate([_bending(pixels, points), ones, pixels], 1)


class PointFinder(nn.Cell):
    """(B, in_channels, 32, 64) -> the control points (B, 20, 2), x before y, as shares."""

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        cells: list[nn.Cell] = []
        width = in_channels
        for place, channels in enumerate(_WIDTHS):
            if place:
                cells.append(nn.MaxPool2d(2, 2))
            cells.append(nn.SequentialCell(conv_norm(width, channels, 3)))
            width = channels
        self.stn_convnet = nn.SequentialCell(cells)
        hidden = 2 * width
        self.stn_fc1 = nn.SequentialCell(
            [nn.Dense(hidden, hidden), nn.BatchNorm1d(hidden), nn.ReLU()]
        )
        start = Tensor(_points(_START).reshape(-1).astype(np.float32))
        self.stn_fc2 = nn.Dense(hidden, 2 * _POINTS, weight_init="zeros", bias_init=start)

    def construct(self, x: Tensor) -> Tensor:
        x = self.stn_fc1(ops.flatten(self.stn_convnet(x)))
        return ops.reshape(self.stn_fc2(0.1 * x), (-1, _POINTS, 2))


class Straighten(nn.Cell):
    """(B, in_channels, H, W) -> (B, in_channels, 32, 100), seen through a bent grid."""

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.stn_head = PointFinder(in_channels)
        solve, place = _spline()
        self.solve = Tensor(solve.astype(np.float32))
        self.place = Tensor(place.astype(np.float32))

    def construct(self, image: Tensor) -> Tensor:
        points = self.stn_head(ops.interpolate(image, _SEEN, mode="bilinear"))
        nothing = ops.zeros((points.shape[0], 3, 2), mstype.float32)
        spline = ops.matmul(self.solve, ops.concat((points, nothing), 1))
        places = ops.clamp(ops.matmul(self.place, spline), 0.0, 1.0)
        grid = 2.0 * ops.reshape(places, (-1, *_GIVEN, 2)) - 1.0
        # In double precision: at the edges a rounding error is a whole pixel.
        seen = ops.grid_sample(image.astype(mstype.float64), grid.astype(mstype.float64))
        return seen.astype(mstype.float32)
