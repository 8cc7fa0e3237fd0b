"""Training pictures of a detector: read, put together, randomly changed, with padded targets."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from zoohub.inputs.picture.image import read_image
from zoohub.inputs.picture.pixels import normalise
from zoohub.manifest.entry import InputContract
from zoohub.outputs.form import Array
from zoohub.tasks.contract import Note, Random, TrainingRow
from zoohub.tasks.detection.augment import Drawn, flip, letterbox, mosaic, recolour, stretch
from zoohub.tasks.detection.owners import draw_owners, target_owners
from zoohub.tasks.detection.recipe import DetectionRecipe
from zoohub.tasks.detection.samples import Boxes, BoxSamples
from zoohub.tasks.pictures import first_readable


def padded_targets(boxes: Boxes, most: int) -> NDArray[np.float32]:
    """Boxes (n, 5) as class, centre x, centre y, width, height, filled up with class -1.

    Of more than `most` boxes the largest stay.
    """
    boxes = boxes[largest(boxes, most)]
    targets = np.full((most, 5), -1, np.float32)
    targets[:, 1:] = 1.0  # a size of 0 would divide by 0 even where it is masked out
    targets[: len(boxes), 0] = boxes[:, 0]
    targets[: len(boxes), 1:3] = (boxes[:, 1:3] + boxes[:, 3:5]) / 2
    targets[: len(boxes), 3:5] = boxes[:, 3:5] - boxes[:, 1:3]
    return targets


def largest(boxes: Boxes, most: int) -> NDArray[np.int64]:
    """Which of the boxes stay where there shall be at most so many, in their order."""
    areas = (boxes[:, 3] - boxes[:, 1]) * (boxes[:, 4] - boxes[:, 2])
    return np.sort(np.argsort(-areas, kind="stable")[:most])


class TrainingPictures:
    """The network's input and targets of training pictures, randomly changed; masks among the
    targets where the objects come with their shapes."""

    def __init__(
        self, samples: BoxSamples, contract: InputContract, recipe: DetectionRecipe
    ) -> None:
        self.samples, self.contract, self.augment = samples, contract, recipe.augment
        self.most = recipe.most_boxes
        self.shaped = any(objects.shapes for objects in samples.targets)
        self.whole_from = recipe.epochs - recipe.augment.last

    def __call__(self, place: int, random: Random, note: Note, epoch: int) -> TrainingRow:
        """See `TrainingRows`: `image` (C, H, W) and `boxes` (most, 5), perhaps `owners` (H / 4,
        W / 4), see `target_owners`; the last epochs are without mosaics."""
        augment, contract = self.augment, self.contract
        if epoch < self.whole_from and random.random() < augment.mosaic:
            others = random.integers(len(self.samples), size=3)
            pictures = [self._read(int(i), note) for i in (place, *others)]
            drawn = mosaic(pictures, contract, augment, random)
        else:
            drawn = letterbox(self._read(place, note), contract, augment, random)
        if augment.flip and random.random() < augment.flip:
            drawn = flip(drawn)
        pixels = recolour(drawn.pixels, augment, random)
        if contract.colour == "BGR":
            pixels = pixels[:, :, ::-1]
        image = normalise(pixels, contract)
        targets: dict[str, Array] = {"boxes": padded_targets(drawn.boxes, self.most)}
        if drawn.owners is not None:
            kept = largest(drawn.boxes, self.most)
            targets["owners"] = target_owners(drawn.owners, drawn.boxes, kept)
        return TrainingRow({"image": image}, targets)

    def _read(self, place: int, note: Note) -> Drawn:
        """The picture at `place`, or the first readable one after it, with its boxes."""
        samples = self.samples

        def read(candidate: int) -> NDArray[np.uint8]:
            return read_image(samples.inputs[candidate], "RGB")  # type: ignore[arg-type]

        found, pixels = first_readable(samples.names, place, note, read)
        objects = samples.targets[found]
        owners = draw_owners(objects, (pixels.shape[0], pixels.shape[1])) if self.shaped else None
        drawn = Drawn(pixels, objects.boxes, owners)
        return stretch(drawn, self.contract) if self.contract.resize == "stretch" else drawn
