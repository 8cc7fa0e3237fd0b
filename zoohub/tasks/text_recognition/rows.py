"""Pictures of lines made ready, one row each, and what networks take beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from zoohub.errors import DataError
from zoohub.inputs.picture import Geometry, Picture, Transform
from zoohub.inputs.picture.lines import line_padding, side_by_side
from zoohub.manifest.entry import InputContract
from zoohub.running import Array, Runner
from zoohub.tasks.contract import Arrays, Row
from zoohub.tasks.text_recognition.dictionary import read_dictionary
from zoohub.tasks.text_recognition.interpret import LinePlace

IMAGE = "image"
MASK, POSITIONS = "valid_width_mask", "word_positions"
_STEP = 4  # pixels of the width to a place of the mask
_UNIT = 32


def line_rows(
    contract: InputContract, dictionary: str | None
) -> Callable[[Picture], tuple[Row, ...]]:
    """What makes a picture the one row `image`, its place with the characters in `dictionary`.

    Raises:
        DataError: the contract is incomplete, or the dictionary; when called: the picture cannot
            be read.
    """
    transform = Transform(contract)
    characters = None if dictionary is None else read_dictionary(dictionary)
    lined = contract.line is not None
    padding = line_padding(contract, transform.values) if lined else np.zeros(0, np.float32)

    def prepare(picture: Picture) -> tuple[Row, ...]:
        prepared = transform.prepare(picture)
        share = _share(prepared.geometry, contract)
        place = LinePlace(share, padding, contract.open_width, characters, str(dictionary))
        return (Row({IMAGE: prepared.array}, place),)

    return prepare


def _share(geometry: Geometry, contract: InputContract) -> float:
    assert contract.size is not None
    return min(1.0, geometry.resized[1] / contract.size[1])


def collate_lines(rows: Sequence[Row]) -> dict[str, Array]:
    """The pictures as one array, as wide as the widest of them; where the width is open, up to a
    multiple of `_UNIT`: MindSpore compiles for each."""
    images = [row.inputs[IMAGE] for row in rows]
    place = rows[0].geometry
    if not isinstance(place, LinePlace) or not place.open:
        return {IMAGE: np.stack(images)}
    widest = max(image.shape[2] for image in images)
    return {IMAGE: side_by_side(images, place.padding, -(-widest // _UNIT) * _UNIT)}


def run_reader(runner: Runner, batch: Arrays, rows: Sequence[Row]) -> dict[str, Array]:
    """What a network gives, which may also take which places of a line its picture covers, and
    the places' numbers (RobustScanner)."""
    if len(runner.inputs) == 1:  # an exported file may call it otherwise
        return runner.run(dict(zip(runner.inputs, batch.values(), strict=True)))
    places = batch[IMAGE].shape[3] // _STEP
    shares = [row.geometry.share for row in rows if isinstance(row.geometry, LinePlace)]
    valid = np.array([int(places * share + 0.5) for share in shares])
    numbers = np.arange(places)
    known: Mapping[str, Array] = {
        **batch,
        MASK: (numbers < valid[:, None]).astype(np.int32)[:, None],
        POSITIONS: np.tile(numbers, (len(shares), 1)).astype(np.int32),
    }
    unknown = [name for name in runner.inputs if name not in known]
    if unknown:
        raise DataError(f"the network takes {', '.join(unknown)}, which no picture of a line has")
    return runner.run({name: known[name] for name in runner.inputs})
