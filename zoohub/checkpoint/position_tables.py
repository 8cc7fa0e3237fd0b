"""Parameters that hold a row for each place of a grid, and how they fit a grid of another size.

Plain NumPy: where the picture's size was asked to differ from the file's, the plan says which
tables are resized (`can_resize`), and `resize_table` does it when the network is filled.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from zoohub.checkpoint.position_table import PositionTable
from zoohub.checkpoint.weights import Array

Grid = tuple[int, int]


def find_table(tables: Iterable[PositionTable], name: str) -> PositionTable | None:
    """The table that parameter `name` is; None if its shape does not follow the picture's size."""
    return next((table for table in tables if re.fullmatch(table.names, name)), None)


def can_resize(file: tuple[int, ...], network: tuple[int, ...], table: PositionTable) -> bool:
    """Whether a table of shape `file` can be had in the shape `network`: both grids are square, and
    all that is not the grid is equal. A computed table cannot: its constructor makes it."""
    if table.form == "map":
        return len(file) == len(network) == 4 and file[:2] == network[:2]
    if table.form == "channels_last":
        return len(file) == len(network) == 4 and file[::3] == network[::3]
    if len(file) != len(network) or len(file) < 2:
        return False
    if table.form == "tokens":
        alike = (*file[:-2], file[-1]) == (*network[:-2], network[-1])
        return alike and all(square_grid(s[-2] - table.prefix_tokens) for s in (file, network))
    if table.form == "pairs":
        return file[:1] == network[:1] and all(map(square_grid, (*file[1:], *network[1:])))
    alike = table.form == "relative" and file[1:] == network[1:]
    return alike and all(square_grid(s[0]) for s in (file, network))


def resize_table(array: Array, shape: tuple[int, ...], table: PositionTable) -> Array:
    """`array` from a file, in the `shape` of the network's parameter; see `can_resize`."""
    if table.form == "map":
        return resize_map(array, shape[2:4])
    if table.form == "channels_last":
        return np.moveaxis(resize_map(np.moveaxis(array, 3, 1), shape[1:3]), 1, 3)
    if table.form == "tokens":
        old, new = (_grid(n - table.prefix_tokens) for n in (array.shape[-2], shape[-2]))
        return resize_position_embedding(array, old, new, table.prefix_tokens)
    if table.form == "pairs":
        (places, attended), (old_places, old_attended) = shape[1:], array.shape[1:]
        rows = resize_position_embedding(array, _grid(old_places), _grid(places))
        columns = np.swapaxes(rows, 1, 2)
        columns = resize_position_embedding(columns, _grid(old_attended), _grid(attended))
        return np.swapaxes(columns, 1, 2)
    old, new = _grid(array.shape[0]), _grid(shape[0])
    return resize_relative_table(array, _window(old), _window(new))


def square_grid(places: int) -> Grid | None:
    """The square grid of so many places.

    >>> square_grid(196), square_grid(197)
    ((14, 14), None)
    """
    side = math.isqrt(max(places, 0))
    return (side, side) if side and side * side == places else None


def resize_position_embedding(
    array: Array, old_grid: Grid, new_grid: Grid, prefix_tokens: int = 0
) -> Array:
    """Tokens' positions (…, prefix_tokens + h·w, C), `old_grid` (h, w), for `new_grid`.

    Bicubic, edges repeated; the rows of the prefix tokens stay as they are.
    """
    prefix, places = array[..., :prefix_tokens, :], array[..., prefix_tokens:, :]
    lead, channels = array.shape[:-2], array.shape[-1]
    maps = np.moveaxis(places.reshape(*lead, *old_grid, channels), -1, -3)
    rows = np.moveaxis(resize_map(maps, new_grid), -3, -1)
    rows = rows.reshape(*lead, new_grid[0] * new_grid[1], channels)
    return np.concatenate((prefix, rows), axis=-2)


def resize_relative_table(array: Array, old_window: Grid, new_window: Grid) -> Array:
    """A row for each distance in `old_window`, ((2·h - 1)·(2·w - 1), heads), for `new_window`."""
    old = (2 * old_window[0] - 1, 2 * old_window[1] - 1)
    new = (2 * new_window[0] - 1, 2 * new_window[1] - 1)
    return resize_position_embedding(array, old, new)


def resize_map(array: Array, grid: tuple[int, ...]) -> Array:
    """(…, h, w) -> (…, *grid) by bicubic interpolation; the same array where the grid is equal."""
    if array.shape[-2:] == tuple(grid):
        return array
    down, across = (_bicubic(old, new) for old, new in zip(array.shape[-2:], grid, strict=True))
    return (down @ array.astype(np.float64) @ across.T).astype(array.dtype)


def _bicubic(old: int, new: int) -> NDArray[np.float64]:
    """The (new, old) matrix that resamples a line, pixels being areas (their centres at .5).

    Keys's kernel with a = -0.75, as PyTorch and OpenCV have it, and no smoothing where a grid
    shrinks.
    """
    places = (np.arange(new) + 0.5) * old / new - 0.5
    first = np.floor(places).astype(int) - 1
    matrix = np.zeros((new, old))
    for step in range(4):
        weights = _keys(np.abs(places - first - step))
        np.add.at(matrix, (np.arange(new), np.clip(first + step, 0, old - 1)), weights)
    return matrix


def _keys(distance: NDArray[np.float64], a: float = -0.75) -> NDArray[np.float64]:
    near = ((a + 2) * distance - (a + 3)) * distance**2 + 1
    far = a * (((distance - 5) * distance + 8) * distance - 4)
    return np.where(distance <= 1, near, np.where(distance < 2, far, 0.0))


def _grid(places: int) -> Grid:
    grid = square_grid(places)
    assert grid is not None  # `can_resize` looked
    return grid


def _window(distances: Grid) -> Grid:
    return (distances[0] + 1) // 2, (distances[1] + 1) // 2
