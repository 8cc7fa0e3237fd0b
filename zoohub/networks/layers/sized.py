"""Networks that say what pictures they take, before MindSpore stumbles over others."""

from __future__ import annotations

from typing import Any

from mindspore import nn

from zoohub.networks.picture_sizes import Sides, fixed_size_problem


class SizedNetwork(nn.Cell):
    """A network whose first input is a picture (B, C, H, W) of the (height, width) `sides`.

    Raises:
        ValueError: when called with another picture, alone and not within another cell.
    """

    def __init__(self, family: str, sides: Sides) -> None:
        super().__init__()
        self.family, self.sides = family, sides

    def __call__(self, *inputs: object, **named: object) -> Any:
        """As `nn.Cell`."""
        shape: Any = getattr(inputs[0], "shape", ()) if inputs else ()
        if len(shape) == 4:
            problem = fixed_size_problem(self.family, self.sides, (shape[2], shape[3]))
            if problem is not None:
                raise ValueError(problem)
        return super().__call__(*inputs, **named)
