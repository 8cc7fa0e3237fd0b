"""From a network's outputs by name to their canonical form."""

import numpy as np
import pytest

from zoohub.errors import DataError
from zoohub.outputs import Boxes, BoxTable, ClassMap, ClassScores
from zoohub.outputs.boxes import box_table, fractional_maps, packed_boxes
from zoohub.outputs.class_map import class_map
from zoohub.outputs.class_scores import class_scores
from zoohub.outputs.reading import choose_reading
from zoohub.tasks.detection.selection import select_detections


def test_maps_in_fractions_become_boxes_in_pixels():
    """The models repository's YOLOv5 gives three maps, the largest stride first."""
    maps = [np.zeros((2, side, side, 3, 7), np.float32) for side in (2, 4, 8)]
    maps[1][1, 3, 0, 2] = (0.125, 0.875, 0.5, 0.25, 0.9, 0, 1)
    raw = {f"predictions_{index}": m for index, m in enumerate(maps)}
    found = fractional_maps(raw, (320, 640))
    assert found.boxes.shape == (2, 3 * (4 + 16 + 64), 4)
    chosen = select_detections(found, 1)
    assert chosen.boxes.tolist() == [[80 - 160, 280 - 40, 80 + 160, 280 + 40]]
    assert chosen.classes.tolist() == [1]
    assert len(select_detections(found, 0)) == 0


def test_the_output_that_the_family_names_is_taken_and_the_others_left():
    first = np.ones((1, 5, 7), np.float32)
    raw = {"predictions": first, "map_0": np.zeros((1, 3, 2, 2, 7), np.float32)}
    found = packed_boxes(raw, (64, 64))
    assert np.shares_memory(found.boxes, first)  # nothing is copied
    assert (found.boxes.shape, found.scores.shape) == ((1, 5, 4), (1, 5, 2))


@pytest.mark.parametrize("shape", [(1, 1000), (1, 25200, 5), (1, 255, 20, 20)])
@pytest.mark.parametrize("read", [packed_boxes, fractional_maps])
def test_other_outputs_are_no_boxes(read, shape):
    with pytest.raises(DataError, match=r"expected decoded.*output \(1,"):
        read({"output": np.zeros(shape, np.float32)}, (64, 64))


@pytest.mark.parametrize("shape", [(3,), (1, 3, 2, 2), ()])
def test_class_scores_are_one_row_a_picture(shape):
    with pytest.raises(DataError, match=r"one score a class"):
        class_scores({"logits": np.zeros(shape, np.float32)}, (8, 8))
    two = {"output_0": np.zeros((2, 3)), "output_1": np.zeros((2, 3))}
    with pytest.raises(DataError, match=r"the network gives output_0 \(2, 3\), output_1 \(2, 3\)"):
        class_scores(two, (8, 8))


def test_forms_refuse_other_shapes():
    with pytest.raises(DataError, match=r"\(N, classes, height, width\)"):
        class_map({"classes": np.zeros((2, 3))}, (8, 8))
    with pytest.raises(DataError, match=r"\(n, 7\)"):
        BoxTable(np.zeros((2, 6)))
    boxes, scores = np.zeros((2, 5, 4)), np.zeros((2, 5, 3))
    assert len(Boxes(boxes, None, scores)) == 2
    for wrong in ((boxes[..., :3], None, scores), (boxes, np.zeros((2, 4)), scores)):
        with pytest.raises(DataError, match="expected boxes"):
            Boxes(*wrong)


def test_files_of_the_first_version_say_what_they_hold_by_their_outputs_names():
    assert choose_reading(("logits",)) is class_scores
    assert choose_reading(("predictions",)) is packed_boxes
    assert choose_reading(("predictions_0", "predictions_1")) is fractional_maps
    assert choose_reading(("detections",), own=packed_boxes) is box_table
    assert choose_reading(("anything",), own=class_map) is class_map
    assert isinstance(class_scores({"logits": np.zeros((1, 2))}, (8, 8)), ClassScores)
    assert isinstance(class_map({"output": np.zeros((1, 2, 4, 4))}, (8, 8)), ClassMap)
