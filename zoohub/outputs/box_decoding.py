"""How a detector's raw maps become boxes, as data: what travels with a file that has only maps.

Free of MindSpore. The networks decode in their own graphs; `zoohub.outputs.raw_maps` does the same
in NumPy for files exported without.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Level:
    """One map: its stride in pixels, its anchors' widths and heights in pixels, and how many
    cells wide the range of a box's centre is (1: its own cell)."""

    stride: float
    anchors: tuple[tuple[float, float], ...]
    xy_scale: float


@dataclass(frozen=True, slots=True)
class BoxDecoding:
    """A detector's levels in the order of its maps.

    `size_rule` is how a box's side follows from the map's value t and the anchor's side a:
    `squared` (2 sigmoid(t))² a, or `exponential` exp(t) a. `anchor_axis` is the maps' axis that
    counts a cell's anchors: 1 in (B, A, H, W, V), 3 in (B, H, W, A, V).
    """

    levels: tuple[Level, ...]
    size_rule: str
    anchor_axis: int
