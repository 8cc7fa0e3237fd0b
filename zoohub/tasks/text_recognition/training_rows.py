"""Pictures of lines in training: randomly changed, with their texts as classes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from zoohub.inputs.picture import Transform, read_image
from zoohub.inputs.picture.resize import resize
from zoohub.manifest.entry import InputContract
from zoohub.tasks.contract import Note, Random, TrainingRow
from zoohub.tasks.pictures import first_readable, recoloured
from zoohub.tasks.text_recognition.labels import Words
from zoohub.tasks.text_recognition.recipe import LineAugment
from zoohub.tasks.text_recognition.rows import IMAGE

Pixels = NDArray[np.uint8]


class TrainingLines:
    """The network's input and the classes of its text, the picture randomly changed; all of the
    input's own width."""

    def __init__(self, samples: Words, contract: InputContract, augment: LineAugment) -> None:
        if contract.line is not None:
            contract = replace(contract, line=replace(contract.line, widest=None))
        self.samples, self.augment = samples, augment
        self.transform = Transform(contract)
        # The loss looks at pairs of neighbours.
        self.longest = max(2, *(len(word.ids) for word in samples.targets))

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
