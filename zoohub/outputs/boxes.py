"""Candidate boxes with their scores, and boxes that were chosen already."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from zoohub.errors import DataError
from zoohub.outputs.form import Array, Size, only, shapes


@dataclass(frozen=True, slots=True)
class Boxes:
    """Every box that a detector considers, before any is chosen.

    `boxes` is float32 (N, n, 4): centre x, centre y, width, height in pixels of the input.
    `objectness` is float32 (N, n) in 0..1, None where the network has none. `scores` is float32
    (N, n, classes) in 0..1, to be multiplied by the objectness. `points` is float32 (N, n, points,
    2), x and y in pixels of the input of what a box has of these, or None. `packed` is float32 (N,
    n, 4 + classes), the boxes and scores side by side as the network gave them, or None: in one
    piece, scores are looked through in half the time.
    """

    boxes: Array
    objectness: Array | None
    scores: Array
    points: Array | None = None
    packed: Array | None = None

    def __post_init__(self) -> None:
        count = self.boxes.shape[:2]
        right = (
            self.boxes.shape == (*count, 4)
            and self.scores.ndim == 3
            and self.scores.shape[:2] == count
            and self.scores.shape[2] > 0
            and (self.objectness is None or self.objectness.shape == count)
        )
        if self.points is not None and self.points.shape[:2] + self.points.shape[3:] != (*count, 2):
            raise DataError(f"expected points {(*count, 'points', 2)}; got {self.points.shape}")
        if self.packed is not None and self.packed.shape != (*count, 4 + self.scores.shape[-1]):
            raise DataError(
                f"expected boxes {self.boxes.shape} and scores {self.scores.shape} side by side; "
                f"got {self.packed.shape}"
            )
        if not right:
            objectness = None if self.objectness is None else self.objectness.shape
            raise DataError(
                "expected boxes (N, n, 4), objectness (N, n) and scores (N, n, classes); got "
                f"{self.boxes.shape}, {objectness} and {self.scores.shape}"
            )

    def __len__(self) -> int:
        return len(self.boxes)


@dataclass(frozen=True, slots=True)
class SoftSuppression:
    """How boxes weaken those of their class that they overlap: a score is multiplied by
    exp(-overlap²/`sigma`), unless it is below `least`."""

    sigma: float
    least: float


@dataclass(frozen=True, slots=True)
class BoxTable:
    """The boxes that a network chose itself, or a file with its own non-maximum suppression.

    `rows` is float32 (n, 7): picture's index, x1, y1, x2, y2 in pixels of the input, score, class.
    `soft` says how the boxes of a picture weaken each other, in the picture's own pixels; None:
    they do not.
    """

    rows: Array
    soft: SoftSuppression | None = None

    def __post_init__(self) -> None:
        if self.rows.ndim != 2 or self.rows.shape[1] != 7:
            raise DataError(f"expected a table of boxes, (n, 7); got {self.rows.shape}")

    def __len__(self) -> int:
        return len(self.rows)


def packed_boxes(raw: Mapping[str, Array], size: Size) -> Boxes:
    """The output `predictions` (N, n, 5 + classes): box, objectness, class scores.

    Raises:
        DataError: the network gives something else, such as raw maps.
    """
    what = "decoded boxes, predictions (N, boxes, 5 + classes)"
    packed = only(raw, "predictions", what)
    if packed.ndim != 3 or packed.shape[2] <= 5:
        raise DataError(f"expected {what}; the network gives {shapes(raw)}")
    return _unpacked(packed.astype(np.float32, copy=False))


def scored_boxes(raw: Mapping[str, Array], size: Size) -> Boxes:
    """The output `boxes` (N, n, 4 + classes): box, class scores, no objectness.

    Raises:
        DataError: the network gives something else, such as raw maps.
    """
    what = "decoded boxes, boxes (N, boxes, 4 + classes)"
    packed = only(raw, "boxes", what)
    if packed.ndim != 3 or packed.shape[2] <= 4:
        raise DataError(f"expected {what}; the network gives {shapes(raw)}")
    packed = packed.astype(np.float32, copy=False)
    return Boxes(packed[..., :4], None, packed[..., 4:], packed=packed)


def scored_faces(raw: Mapping[str, Array], size: Size) -> Boxes:
    """`scored_boxes`, and where there is an output `points` (N, n, 2·points) the points of each.

    Raises:
        DataError: the network gives something else, such as raw maps.
    """
    points = raw.get("points")
    found = scored_boxes({name: array for name, array in raw.items() if name != "points"}, size)
    if points is None:
        return found
    points = points.astype(np.float32, copy=False).reshape(*points.shape[:2], -1, 2)
    return Boxes(found.boxes, None, found.scores, points)


def chosen_boxes(raw: Mapping[str, Array], size: Size) -> BoxTable:
    """The output `chosen` (N, n, 6): x1, y1, x2, y2 in pixels, score, class, of the boxes that a
    network without suppression chose itself.

    Raises:
        DataError: the network gives something else, such as raw maps.
    """
    what = "chosen boxes, chosen (N, boxes, 6)"
    chosen = only(raw, "chosen", what)
    if chosen.ndim != 3 or chosen.shape[2] != 6:
        raise DataError(f"expected {what}; the network gives {shapes(raw)}")
    count = chosen.shape[1]
    pictures = np.repeat(np.arange(len(chosen), dtype=np.float32), count)
    rows = chosen.reshape(-1, 6).astype(np.float32, copy=False)
    return BoxTable(np.concatenate([pictures[:, None], rows], axis=1))


def point_boxes(raw: Mapping[str, Array], size: Size) -> BoxTable:
    """`chosen_boxes` that weaken each other, as in the evaluation of those who publish them: the
    MindSpore models repository's CenterNets set `SOFT_NMS: True` for a single scale too
    (research/cv/centernet_det/default_config.yaml, and its ResNets').

    Raises:
        DataError: the network gives something else, such as raw maps.
    """
    return replace(chosen_boxes(raw, size), soft=SoftSuppression(sigma=0.5, least=0.001))


def fractional_maps(raw: Mapping[str, Array], size: Size) -> Boxes:
    """Decoded maps (N, h, w, anchors, 5 + classes), boxes as fractions of the input.

    Raises:
        DataError: the network gives something else.
    """
    maps = list(raw.values())
    fields = maps[0].shape[-1]
    if fields <= 5 or any(m.ndim != 5 or m.shape[-1] != fields for m in maps):
        raise DataError(
            "expected decoded maps (N, h, w, anchors, 5 + classes); the network gives "
            f"{shapes(raw)}"
        )
    flat = [m.reshape(len(m), -1, fields) for m in maps]
    packed = np.concatenate(flat, axis=1).astype(np.float32)
    packed[..., :4] *= np.array([size[1], size[0]] * 2, np.float32)
    return _unpacked(packed)


def box_table(raw: Mapping[str, Array], size: Size) -> BoxTable:
    """The output `detections`."""
    return BoxTable(only(raw, "detections", "a table of boxes, detections (n, 7)"))


def _unpacked(packed: Array) -> Boxes:
    return Boxes(packed[..., :4], packed[..., 4], packed[..., 5:])
