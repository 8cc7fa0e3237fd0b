"""From prototypes to the masks of the boxes that stay, in pixels of the picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from zoohub.inputs.picture import Geometry
from zoohub.inputs.picture.resize import resize_values
from zoohub.outputs.form import sigmoid
from zoohub.outputs.masked_boxes import MaskedBoxes
from zoohub.tasks.detection.selection import Detections
from zoohub.tasks.run_lengths import RunLengths, placed_runs, run_lengths


def masks_of(
    form: MaskedBoxes,
    picture: int,
    found: Detections,
    geometry: Geometry,
    size: tuple[int, int],
) -> list[RunLengths]:
    """The mask of each box found in one picture of a batch.

    The prototypes' weighted sum, as a probability, is brought to the picture's size; a pixel is in
    where it is above one half, inside the box. `size` is (height, width) of the network's input.
    """
    prototypes = form.prototypes[picture]
    weights = form.coefficients[picture][found.candidates]
    logits = np.tensordot(weights, prototypes, axes=1)
    boxes = geometry.to_picture(found.boxes)
    return [
        run_lengths(_inside(_in_picture(each, geometry, size), box))
        for each, box in zip(logits, boxes, strict=True)
    ]


def pasted(
    likely: NDArray[np.float32], box: NDArray[np.float32], size: tuple[int, int]
) -> RunLengths:
    """The mask of one box of a picture of (height, width) `size`, of how likely each cell of the
    box, (h, w), is its object's: brought to the box's pixels, in where it is above one half.

    The box begins and ends with whole pixels, the last among them, as the models repository's
    evaluation has it.
    """
    height, width = size
    left, top, right, bottom = (int(edge) for edge in box)
    across = min(max(right - left + 1, 1), width - left)
    down = min(max(bottom - top + 1, 1), height - top)
    if across <= 0 or down <= 0:
        return RunLengths(height, width, (height * width,))
    inside = resize_values(likely[..., None], down, across)[..., 0] > 0.5
    return placed_runs(inside, top, left, size)


def _in_picture(
    logits: NDArray[np.float32], geometry: Geometry, size: tuple[int, int]
) -> NDArray[np.float32]:
    """A map over the whole input -> probabilities for each pixel of the picture."""
    from PIL import Image

    likely = Image.fromarray(sigmoid(logits))
    down, across = logits.shape[0] / size[0], logits.shape[1] / size[1]
    left, top = geometry.left * across, geometry.top * down
    right = left + geometry.resized[1] * across
    bottom = top + geometry.resized[0] * down
    height, width = geometry.picture
    resized = likely.resize((width, height), Image.Resampling.BILINEAR, (left, top, right, bottom))
    return np.asarray(resized, np.float32)


def _inside(likely: NDArray[np.float32], box: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Where the probability is above one half and the pixel's centre is in the box."""
    height, width = likely.shape
    x, y = np.arange(width) + 0.5, np.arange(height) + 0.5
    columns = (x >= box[0]) & (x < box[2])
    rows = (y >= box[1]) & (y < box[3])
    mask: NDArray[np.bool_] = (likely > 0.5) & rows[:, None] & columns
    return mask
