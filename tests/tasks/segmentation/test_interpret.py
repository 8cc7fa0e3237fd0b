"""Back from the network's map to the picture."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from zoohub.errors import DataError
from zoohub.inputs.picture.transforms import Geometry, letterbox_geometry
from zoohub.networks.unet.maps import whole_map
from zoohub.outputs import ClassMap
from zoohub.tasks.contract import Row
from zoohub.tasks.segmentation.drawing import map_of, overlay, palette_picture
from zoohub.tasks.segmentation.interpret import interpret_map, to_picture
from zoohub.tasks.segmentation.masks import IGNORED


def scores(indices: np.ndarray, classes: int = 3) -> np.ndarray:
    return np.stack([(indices == i).astype(np.float32) for i in range(classes)])[None]


STRETCHED = Geometry((4, 6), (2, 3), top=0, left=0)


def test_regions_come_by_share_and_cover_the_picture() -> None:
    indices = np.array([[0, 0, 1], [0, 2, 2]])
    (regions,) = interpret_map(ClassMap(scores(indices)), [Row({}, STRETCHED)], None, 0.0)
    assert [region.to_json() for region in regions] == [
        {"label": "class 0", "index": 0, "share": 0.5},
        {"label": "class 2", "index": 2, "share": 0.333333},
        {"label": "class 1", "index": 1, "share": 0.166667},
    ]
    assert (map_of(regions, (4, 6)) == indices.repeat(2, 0).repeat(2, 1)).all()


def test_a_threshold_leaves_small_regions_out() -> None:
    indices = np.array([[0, 0, 1], [0, 0, 0]])
    (regions,) = interpret_map(ClassMap(scores(indices)), [Row({}, STRETCHED)], None, 0.5)
    assert [region.index for region in regions] == [0]


def test_class_names_that_do_not_fit_are_refused() -> None:
    form = ClassMap(scores(np.zeros((2, 3), int)))
    with pytest.raises(DataError, match="gives 3 classes but 2"):
        interpret_map(form, [Row({}, STRETCHED)], ("a", "b"), 0.0)


def test_the_border_of_a_letterbox_is_no_part_of_the_picture() -> None:
    geometry = letterbox_geometry((2, 4), (8, 8))  # two rows of border above and below
    indices = np.full((8, 8), 2, np.uint8)
    indices[2:6] = 1
    assert (to_picture(indices, geometry) == 1).all()


def test_what_a_crop_left_out_is_not_judged() -> None:
    geometry = Geometry((4, 4), (4, 4), top=-1, left=-1)
    found = to_picture(np.ones((2, 2), np.uint8), geometry)
    assert (found[1:3, 1:3] == 1).all()
    assert (found[[0, -1]] == IGNORED).all()


def test_a_network_that_looks_at_the_middle_gives_the_edge_to_what_lies_around() -> None:
    form = whole_map({"classes": scores(np.array([[1, 2], [1, 2]]))}, (6, 8))
    assert form.scores.shape == (1, 3, 6, 8)
    assert (form.scores[0].argmax(0)[:, :4] == 1).all()


def test_a_palettes_picture_holds_the_classes_and_an_overlay_leaves_the_ground() -> None:
    indices = np.array([[0, 1], [2, IGNORED]], np.uint8)
    image = palette_picture(indices)
    assert image.mode == "P"
    assert (np.asarray(image) == indices).all()
    drawn = np.asarray(overlay(Image.new("RGB", (2, 2), (90, 90, 90)), indices))
    assert (drawn[0, 0] == 90).all()
    assert (drawn[1, 1] == 90).all()
    assert (drawn[0, 1] != 90).any()
