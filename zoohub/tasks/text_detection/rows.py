"""Pictures of several sizes in one batch: prepared, run size by size, and put together again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from zoohub.inputs.picture import Geometry, Picture, Transform
from zoohub.manifest.entry import InputContract, RegionContract
from zoohub.running import Array, Runner
from zoohub.tasks.contract import Arrays, Row

_PIXELS = 1 << 22  # to a run of the network, whose maps take a hundred times the memory


@dataclass(frozen=True, slots=True)
class DetectorInput:
    """Where a picture lies in its input, and how text is seen in what the network gives for it."""

    geometry: Geometry
    regions: RegionContract


def page_rows(contract: InputContract) -> Callable[[Picture], tuple[Row, ...]]:
    """What makes a picture the one row `image`, with its `DetectorInput`.

    Raises:
        DataError: the contract is incomplete; when called: the picture cannot be read.
    """
    transform = Transform(contract)
    regions = contract.regions or RegionContract()

    def prepare(picture: Picture) -> tuple[Row, ...]:
        prepared = transform.prepare(picture)
        return (Row({"image": prepared.array}, DetectorInput(prepared.geometry, regions)),)

    return prepare


def input_size(row: Row) -> tuple[int, int]:
    """(height, width) of a row's input."""
    _, height, width = row.inputs["image"].shape
    return height, width


def collate_pages(rows: Sequence[Row]) -> dict[str, Array]:
    """The batch, each picture at the top left and with zeros up to the largest."""
    images = [row.inputs["image"] for row in rows]
    return {"image": _joined([image[None] for image in images])}


def infer_pages(runner: Runner, batch: Arrays, rows: Sequence[Row]) -> dict[str, Array]:
    """What the network gives for each picture at its own size, with zeros up to the largest: a
    filled up picture would be seen otherwise."""
    (images,) = batch.values()
    name = runner.inputs[0] if len(runner.inputs) == 1 else "image"
    _, _, most_high, most_wide = images.shape
    sizes = [input_size(row) for row in rows] or [(most_high, most_wide)] * len(images)
    by_size: dict[tuple[int, int], list[int]] = {}
    for place, size in enumerate(sizes):
        by_size.setdefault(size, []).append(place)
    found: list[Mapping[str, Array]] = [{}] * len(sizes)
    for (height, width), of_size in by_size.items():
        most = max(1, _PIXELS // (height * width))
        for start in range(0, len(of_size), most):
            places = of_size[start : start + most]
            outputs = runner.run({name: np.ascontiguousarray(images[places, :, :height, :width])})
            for number, place in enumerate(places):
                found[place] = {key: array[number : number + 1] for key, array in outputs.items()}
    return {key: _joined([each[key] for each in found]) for key in found[0]}


def _joined(arrays: Sequence[Array]) -> Array:
    """Arrays (1, …, h, w) one after the other, filled up with zeros at the bottom and right."""
    height, width = (max(array.shape[axis] for array in arrays) for axis in (-2, -1))
    if all(array.shape[-2:] == (height, width) for array in arrays):
        return np.concatenate(arrays)
    joined = np.zeros((len(arrays), *arrays[0].shape[1:-2], height, width), arrays[0].dtype)
    for place, array in enumerate(arrays):
        joined[place, ..., : array.shape[-2], : array.shape[-1]] = array[0]
    return joined
