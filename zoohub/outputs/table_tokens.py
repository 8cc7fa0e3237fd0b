"""What networks that read a table's structure give: a token and a box at each step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from zoohub.errors import DataError
from zoohub.outputs.form import Array, Size, shapes

# The last classes, behind those of HTML: no known token, the start, the end, what fills up.
UNKNOWN, START, END, PADDING = -4, -3, -2, -1
SPECIAL = 4


@dataclass(frozen=True, slots=True)
class TableTokens:
    """`probabilities` is float32 (N, steps, classes), of which the last `SPECIAL` are no HTML;
    `boxes` float32 (N, steps, 4): the centre's x and y, the width and the height of a cell, as
    shares of the input, where a step's token begins one. `size` is the input's (height, width) in
    pixels."""

    probabilities: Array
    boxes: Array
    size: Size

    def __post_init__(self) -> None:
        shape = self.probabilities.shape
        if len(shape) != 3 or shape[2] <= SPECIAL or self.boxes.shape != (*shape[:2], 4):
            raise DataError(
                f"expected tokens (N, steps, more than {SPECIAL} classes) and boxes (N, steps, 4) "
                f"of a table from the network; got {shape} and {self.boxes.shape}"
            )

    def __len__(self) -> int:
        return len(self.probabilities)


def table_tokens(raw: Mapping[str, Array], size: Size) -> TableTokens:
    """The outputs `tokens` and `boxes`.

    Raises:
        DataError: the network gives something else.
    """
    tokens, boxes = raw.get("tokens"), raw.get("boxes")
    if tokens is None or boxes is None:
        raise DataError(f"expected tokens and boxes of a table; the network gives {shapes(raw)}")
    return TableTokens(
        tokens.astype(np.float32, copy=False), boxes.astype(np.float32, copy=False), size
    )
