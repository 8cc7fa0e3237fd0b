"""The points of faces, from the network's output to the picture."""

from __future__ import annotations

import numpy as np
import pytest

from zoohub.errors import DataError
from zoohub.inputs.picture import Geometry
from zoohub.outputs.boxes import Boxes, scored_faces
from zoohub.tasks.contract import Row
from zoohub.tasks.detection.drawing import draw_boxes
from zoohub.tasks.detection.interpret import DetectionOptions, interpret_boxes
from zoohub.tasks.results import Label


def faces() -> dict[str, np.ndarray]:
    """Nothing, a weak face and a good one of two points each, in an input of 8x8 pixels."""
    boxes = np.array([[4, 4, 2, 2, 0.1], [2, 4, 2, 2, 0.4], [5, 4, 4, 4, 0.9]], np.float32)
    points = np.arange(12, dtype=np.float32).reshape(1, 3, 4) / 2
    return {"offsets": np.zeros((1, 3, 4)), "boxes": boxes[None], "points": points}


def test_a_faces_points_follow_it_into_the_picture() -> None:
    # The picture is 8 wide and 4 high, and lies at half its size two rows below the top.
    row = Row({"image": np.zeros((3, 8, 8), np.float32)}, Geometry((8, 16), (4, 8), 2, 0))
    ((best, weak),) = interpret_boxes(
        scored_faces(faces(), (8, 8)), [row], ("face",), DetectionOptions(threshold=0.3)
    )
    assert best.landmarks == ((8.0, 5.0), (10.0, 7.0))
    assert weak.landmarks == ((4.0, 1.0), (6.0, 3.0))
    assert best.to_json()["landmarks"] == [[8.0, 5.0], [10.0, 7.0]]


def test_points_are_drawn_in_the_faces_colour() -> None:
    picture = np.zeros((200, 200, 3), np.uint8)
    face = Label("face", 0, 0.9, (20.0, 60.0, 180.0, 180.0), landmarks=((100.0, 120.0),))
    drawn = np.asarray(draw_boxes(picture, [face]))
    assert (drawn[120, 100] == drawn[60, 100]).all()  # as the box's upper side
    assert drawn[120, 110].sum() == 0


def test_a_network_without_points_has_boxes_alone() -> None:
    raw = {name: array for name, array in faces().items() if name != "points"}
    assert scored_faces(raw, (8, 8)).points is None


def test_points_of_other_boxes_are_refused() -> None:
    with pytest.raises(DataError, match="expected points"):
        Boxes(np.zeros((1, 3, 4)), None, np.zeros((1, 3, 1)), np.zeros((1, 2, 5, 2)))
