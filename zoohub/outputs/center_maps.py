"""Faces as peaks of a map: CenterFace's four maps as boxes with points.

Source: Xu et al., "CenterFace: Joint Face Detection and Alignment Using Face as Point" (2019), as
the models repository decodes it (official/cv/centerface).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from zoohub.errors import DataError
from zoohub.outputs.boxes import Boxes
from zoohub.outputs.form import Array, Size, check_finite, shapes

_STRIDE = 4.0
_MOST = 200
_CHANNELS = {"heat": 1, "sizes": 2, "offsets": 2, "landmarks": 10}


def center_faces(raw: Mapping[str, Array], size: Size) -> Boxes:
    """The maps `heat` (N, 1, h, w), `sizes`, `offsets` and `landmarks` at 1/4 of the input.

    A cell that none of its eight neighbours beats is a face's centre, shifted by the offset; the
    200 likeliest are candidates. A side is the exponential of its value, and a landmark lies so
    many sides from the centre as its value says.

    Raises:
        DataError: the network gives something else.
    """
    found = {name: raw.get(name) for name in _CHANNELS}
    maps = {name: array for name, array in found.items() if array is not None and array.ndim == 4}
    grids = {(len(array), *array.shape[2:]) for array in maps.values()}
    channels = {name: array.shape[1] for name, array in maps.items()}
    if channels != _CHANNELS or len(grids) != 1:
        wanted = ", ".join(f"{name} (N, {count}, h, w)" for name, count in _CHANNELS.items())
        raise DataError(f"expected the maps {wanted}; the network gives {shapes(raw)}")
    check_finite(maps["heat"])
    heat = _peaks(maps["heat"][:, 0].astype(np.float32, copy=False))
    pictures, _, width = heat.shape
    flat = heat.reshape(pictures, -1)
    cells = np.argsort(-flat, axis=1, kind="stable")[:, :_MOST]

    def at(name: str) -> Array:
        rows = maps[name].reshape(pictures, _CHANNELS[name], -1).transpose(0, 2, 1)
        chosen: Array = np.take_along_axis(rows, cells[..., None], axis=1).astype(np.float32)
        check_finite(chosen)  # the size of minus infinity would be a box of none
        return chosen

    corner = np.stack([cells % width, cells // width], axis=-1).astype(np.float32)
    centres = (corner + at("offsets")) * _STRIDE
    sides = np.exp(at("sizes")) * _STRIDE
    points = at("landmarks").reshape(pictures, -1, 5, 2) * sides[:, :, None] + centres[:, :, None]
    scores = np.take_along_axis(flat, cells, axis=1)[..., None]
    return Boxes(np.concatenate([centres, sides], axis=-1), None, scores, points)


def _peaks(heat: Array) -> Array:
    """(N, h, w) with 0 in place of each cell that a neighbour beats."""
    height, width = heat.shape[1:]
    wide = np.pad(heat, ((0, 0), (1, 1), (1, 1)), constant_values=-np.inf)
    best = heat
    for down in range(3):
        for across in range(3):
            best = np.maximum(best, wide[:, down : down + height, across : across + width])
    return np.where(heat == best, heat, np.float32(0))
