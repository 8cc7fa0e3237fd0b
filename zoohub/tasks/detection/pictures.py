"""A detector's pictures: where they lie in the input, and how boxes are found in what comes out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

from zoohub.inputs.picture import Geometry, Picture
from zoohub.manifest.entry import BoxContract, InputContract
from zoohub.tasks.contract import Row
from zoohub.tasks.pictures import picture_rows


@dataclass(frozen=True, slots=True)
class DetectorInput(Geometry):
    """`Geometry`, and how boxes are chosen from what the network gives for the picture."""

    boxes: BoxContract


def detector_rows(contract: InputContract) -> Callable[[Picture], tuple[Row, ...]]:
    """What makes a picture the one row `image`, with its `DetectorInput`.

    Raises:
        DataError: the contract is incomplete; when called: the picture cannot be read.
    """
    prepare = picture_rows(contract)
    boxes = contract.boxes
    if boxes is None:
        return prepare

    def prepare_detector(picture: Picture) -> tuple[Row, ...]:
        (row,) = prepare(picture)
        geometry = row.geometry
        assert isinstance(geometry, Geometry)
        known = {field.name: getattr(geometry, field.name) for field in fields(geometry)}
        return (Row(row.inputs, DetectorInput(**known, boxes=boxes)),)

    return prepare_detector


def contract_of(row: Row) -> BoxContract:
    """How the boxes of a row's picture are chosen."""
    geometry = row.geometry
    return geometry.boxes if isinstance(geometry, DetectorInput) else BoxContract()
