"""Which parameters of a family follow the picture's size, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class PositionTable:
    """Which parameters of a family depend on the size of the picture, and in what form.

    Attributes:
        names: a regular expression for whole names.
        form: "tokens" (1, prefix + H·W, C) or without the first axis; "map" (1, C, H, W);
            "channels_last" (1, H, W, C); "relative" ((2·H - 1)·(2·W - 1), heads), one row for
            each distance; "pairs" (heads, H·W, h·w), one for each place and each it attends to;
            "computed": the constructor knows the right values, and a file of
            another size has nothing to add.
        prefix_tokens: rows before those of the grid (class and distillation tokens), kept as
            they are.
    """

    names: str
    form: Literal["tokens", "map", "channels_last", "relative", "pairs", "computed"]
    prefix_tokens: int = 0
