"""Boxes as offsets from default ones: SSD's and RetinaNet's, as the models repository has them.

Source: Liu et al., "SSD: Single Shot MultiBox Detector" (2016); steps, scales and order of the
default boxes are facts of its configurations (official/cv/ssd, research/cv/retinanet_resnet101).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from mindspore import Tensor, nn, ops

from zoohub.networks.layers.anchor_head import cell_offsets

_CENTRE, _SIZE = 0.1, 0.2  # what offsets are multiplied by


@dataclass(frozen=True, slots=True)
class DefaultLevel:
    """A map's default boxes: the step between cells and (width, height) of each, in pixels."""

    step: float
    sizes: tuple[tuple[float, float], ...]


def scaled_levels(
    image_size: int,
    steps: Sequence[float],
    ratios: Sequence[Sequence[float]],
    least: float = 0.2,
    most: float = 0.95,
    between: bool = True,
) -> tuple[DefaultLevel, ...]:
    """SSD's: scales from `least` to `most` of the picture, spread evenly over the maps.

    A map's boxes are a square, two of each ratio and, unless `between` is False, a square between
    this scale and the next; on a first map without ratios a small square and two of ratio 2.
    """
    grow = (most - least) / (len(steps) - 1)
    scales = [least + grow * level for level in range(len(steps))] + [1.0]
    levels = []
    for index, step in enumerate(steps):
        scale = scales[index]
        first = index == 0 and not ratios[index]
        sizes = [(0.1, 0.1) if first else (scale, scale)]
        for ratio in (2.0,) if first else ratios[index]:
            wide, high = scale * sqrt(ratio), scale / sqrt(ratio)
            sizes += [(wide, high), (high, wide)]
        if between and not first:
            middle = sqrt(scale * scales[index + 1])
            sizes.append((middle, middle))
        pixels = tuple((image_size * wide, image_size * high) for wide, high in sizes)
        levels.append(DefaultLevel(step, pixels))
    return tuple(levels)


def octave_levels(
    steps: Sequence[float], scales: int, ratios: Sequence[float], base: float = 4.0
) -> tuple[DefaultLevel, ...]:
    """RetinaNet's: `base` steps wide, at each of `scales` parts of an octave, for each ratio."""
    levels = []
    for step in steps:
        sizes = [
            (side * sqrt(ratio), side / sqrt(ratio))
            for ratio in ratios
            for side in (base * step * 2 ** (part / scales) for part in range(scales))
        ]
        levels.append(DefaultLevel(step, tuple(sizes)))
    return tuple(levels)


class OffsetBoxes(nn.Cell):
    """Offsets (B, N, 4) of `maps`' default boxes -> (B, N, 4): centre, width, height in pixels.

    N counts map by map, row by row, column by column, box by box. Offsets are y, x, height, width:
    the centre's in tenths of the default box's size, the size's logarithms in fifths; with
    `x_first` x, y, width, height; and with `whole` in whole sizes and logarithms.
    """

    def __init__(
        self, levels: Sequence[DefaultLevel], x_first: bool = False, whole: bool = False
    ) -> None:
        super().__init__()
        self.x_first = x_first
        self.centre, self.size = (1.0, 1.0) if whole else (_CENTRE, _SIZE)
        self.steps = tuple(float(level.step) for level in levels)
        self.counts = tuple(len(level.sizes) for level in levels)
        self.widths = tuple(_column(level, 0) for level in levels)
        self.heights = tuple(_column(level, 1) for level in levels)

    def construct(self, offsets: Tensor, maps: tuple[Tensor, ...]) -> Tensor:
        boxes: tuple[Tensor, ...] = ()
        start = 0
        for level, step in enumerate(self.steps):
            _, _, high, wide = maps[level].shape
            stop = start + high * wide * self.counts[level]
            own = ops.reshape(offsets[:, start:stop], (-1, high, wide, self.counts[level], 4))
            width, height = self.widths[level], self.heights[level]
            x = (cell_offsets(wide, (1, 1, wide, 1, 1)) + 0.5) * step
            y = (cell_offsets(high, (1, high, 1, 1, 1)) + 0.5) * step
            first, second = own[..., 0:1], own[..., 1:2]
            third, fourth = own[..., 2:3], own[..., 3:4]
            if not self.x_first:
                first, second, third, fourth = second, first, fourth, third
            box = ops.concat(
                (
                    x + first * self.centre * width,
                    y + second * self.centre * height,
                    ops.exp(third * self.size) * width,
                    ops.exp(fourth * self.size) * height,
                ),
                -1,
            )
            boxes = (*boxes, ops.reshape(box, (-1, stop - start, 4)))
            start = stop
        return ops.concat(boxes, 1)


class OffsetPoints(nn.Cell):
    """Offsets (B, N, 2·points) of `maps`' default boxes' centres -> the same in pixels: x, y, ….

    They are in tenths of the default box's size; N counts as in `OffsetBoxes`.
    """

    def __init__(self, levels: Sequence[DefaultLevel], points: int) -> None:
        super().__init__()
        self.points = points
        self.steps = tuple(float(level.step) for level in levels)
        self.counts = tuple(len(level.sizes) for level in levels)
        self.widths = tuple(_column(level, 0) for level in levels)
        self.heights = tuple(_column(level, 1) for level in levels)

    def construct(self, offsets: Tensor, maps: tuple[Tensor, ...]) -> Tensor:
        found: tuple[Tensor, ...] = ()
        start = 0
        for level, step in enumerate(self.steps):
            _, _, high, wide = maps[level].shape
            stop = start + high * wide * self.counts[level]
            shape = (-1, high, wide, self.counts[level], 2 * self.points)
            own = ops.reshape(offsets[:, start:stop], shape)
            x = (cell_offsets(wide, (1, 1, wide, 1, 1)) + 0.5) * step
            y = (cell_offsets(high, (1, high, 1, 1, 1)) + 0.5) * step
            values: tuple[Tensor, ...] = ()
            for point in range(self.points):
                first, second = 2 * point, 2 * point + 1
                across = x + own[..., first : first + 1] * _CENTRE * self.widths[level]
                down = y + own[..., second : second + 1] * _CENTRE * self.heights[level]
                values = (*values, across, down)
            pixels = ops.concat(values, -1)
            found = (*found, ops.reshape(pixels, (-1, stop - start, 2 * self.points)))
            start = stop
        return ops.concat(found, 1)


def flatten(maps: tuple[Tensor, ...], width: int) -> Tensor:
    """Maps (B, A_i·width, H_i, W_i) -> (B, sum of H_i·W_i·A_i, width)."""
    rows: tuple[Tensor, ...] = ()
    for each in maps:
        _, channels, high, wide = each.shape
        boxes = high * wide * (channels // width)
        rows = (*rows, ops.reshape(ops.transpose(each, (0, 2, 3, 1)), (-1, boxes, width)))
    return ops.concat(rows, 1)


def _column(level: DefaultLevel, side: int) -> Tensor:
    """One side of each default box, to go with maps of (B, H, W, A, 1)."""
    values = np.array([size[side] for size in level.sizes], np.float32)
    return Tensor(values.reshape(1, 1, 1, -1, 1))
