"""Pictures of lines made ready: one row each, and in training with its text as classes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from zoohub.errors import DataError
from zoohub.inputs.picture import Geometry, Picture, Transform, read_image
from zoohub.inputs.picture.lines import line_padding, side_by_side
from zoohub.inputs.picture.resize import resize
from zoohub.manifest.entry import InputContract
from zoohub.running import Array, Runner
from zoohub.tasks.contract import Arrays, Note, Random, Row, TrainingRow
from zoohub.tasks.pictures import first_readable, recoloured
from zoohub.tasks.text_recognition.dictionary import read_dictionary
from zoohub.tasks.text_recognition.interpret import LinePlace
from zoohub.tasks.text_recognition.labels import Words
from zoohub.tasks.text_recognition.recipe import LineAugment

IMAGE = "image"
MASK, POSITIONS = "valid_width_mask", "word_positions"
_STEP = 4  # pixels of the width to a place of the mask
Pixels = NDArray[np.uint8]


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
        place = LinePlace(share, padding, characters, str(dictionary))
        return (Row({IMAGE: prepared.array}, place),)

    return prepare


def _share(geometry: Geometry, contract: InputContract) -> float:
    assert contract.size is not None
    return min(1.0, geometry.resized[1] / contract.size[1])


def collate_lines(rows: Sequence[Row]) -> dict[str, Array]:
    """The pictures as one array, as wide as the widest of them."""
    images = [row.inputs[IMAGE] for row in rows]
    place = rows[0].geometry
    if len({image.shape for image in images}) == 1 or not isinstance(place, LinePlace):
        return {IMAGE: np.stack(images)}
    return {IMAGE: side_by_side(images, place.padding)}


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


class TrainingLines:
    """The network's input and the classes of its text, the picture randomly changed; all of the
    input's own width."""

    def __init__(self, samples: Words, contract: InputContract, augment: LineAugment) -> None:
        if contract.line is not None:
            contract = replace(contract, line=replace(contract.line, widest=None))
        self.samples, self.augment = samples, augment
        self.transform = Transform(contract)
        self.longest = max((len(word.ids) for word in samples.targets), default=0) or 1

    def __call__(self, place: int, random: Random, note: Note, epoch: int) -> TrainingRow:
        """See `TrainingRows`: `image` (C, H, W), and int32 `labels` (longest,), -1 behind their
        end, and their number, `lengths`; `blank` is the class between characters."""
        place, pixels = first_readable(self.samples.names, place, note, self._read)
        image = self.transform(changed(pixels, self.augment, random))
        word = self.samples.targets[place]
        labels = np.full(self.longest, -1, np.int32)
        labels[: len(word.ids)] = word.ids
        targets = {
            "labels": labels,
            "lengths": np.array(len(word.ids), np.int32),
            "blank": np.array(word.blank, np.int32),
        }
        return TrainingRow({IMAGE: image}, targets)

    def _read(self, place: int) -> Pixels:
        return read_image(self.samples.inputs[place])  # type: ignore[arg-type]


def changed(pixels: Pixels, augment: LineAugment, random: Random) -> Pixels:
    """The picture with its edges cut, stretched, and in other colours."""
    height, width = pixels.shape[:2]
    most = augment.edge * height
    top, bottom, left, right = (int(random.uniform(0, most + 1e-9)) for _ in range(4))
    if height - top - bottom > 1 and width - left - right > 1:
        pixels = pixels[top : height - bottom, left : width - right]
    stretch = random.uniform(1 - augment.stretch, 1 + augment.stretch)
    wide = max(1, round(pixels.shape[1] * stretch))
    pixels = resize(pixels, pixels.shape[0], wide, "bilinear")
    return recoloured(pixels, augment.colour, random)
