"""Names of parameters that do not follow from where a cell hangs."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mindspore import nn


def name_parameters(net: nn.Cell, rules: Sequence[tuple[str, str]]) -> None:
    """Name the parameters after their places in `net`, as changed by `rules`.

    `rules` are (regular expression for the place's whole path, replacement); the first that
    matches counts. For publishers whose lists of cells lost or doubled a prefix.
    """
    for place, parameter in net.parameters_and_names():
        parameter.name = place
        for pattern, replacement in rules:
            match = re.fullmatch(pattern, place)
            if match:
                parameter.name = match.expand(replacement)
                break
