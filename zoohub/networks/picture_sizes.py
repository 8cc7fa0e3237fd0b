"""Networks that take pictures of one height, or of one size."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TypeAlias

# (height, width) in pixels that pictures must have; None where any does.
Sides: TypeAlias = "tuple[int | None, int | None]"
ANY: Sides = (None, None)


def square_of(arguments: Mapping[str, object]) -> Sides:
    """Of a network made for squares of `image_size` pixels, 224 where nothing else is said."""
    side = arguments.get("image_size", 224)
    assert isinstance(side, int)
    return side, side


def fixed_size_problem(name: str, sides: Sides, size: tuple[int, int]) -> str | None:
    """Why the network called `name` takes no pictures of (height, width), if so.

    >>> fixed_size_problem("crnn", (32, None), (48, 320))
    'crnn takes pictures 32 pixels high, not 48x320'
    >>> fixed_size_problem("crnn", (32, None), (32, 320))
    """
    if all(side is None or side == given for side, given in zip(sides, size, strict=True)):
        return None
    return f"{name} takes pictures {_taken(sides)}, not {size[0]}x{size[1]}"


def open_size_problem(name: str, sides: Sides, axes: Collection[str]) -> str | None:
    """Why `axes`, "height" and "width" among them, of the network called `name` cannot stay open.

    >>> open_size_problem("crnn", (32, None), ("height", "width"))
    'crnn takes pictures 32 pixels high: height cannot stay open'
    """
    closed = [
        axis
        for axis, side in zip(("height", "width"), sides, strict=True)
        if side is not None and axis in axes
    ]
    if not closed:
        return None
    return f"{name} takes pictures {_taken(sides)}: {' and '.join(closed)} cannot stay open"


def _taken(sides: Sides) -> str:
    height, width = sides
    if height is None:
        return f"{width} pixels wide"
    return f"{height} pixels high" if width is None else f"of {height}x{width} pixels"
