"""Scenes are functions of their number, and no digit is seen in two parts."""

from __future__ import annotations

import numpy as np

from zoohub.inputs.picture.digits import heldout_digits
from zoohub.tasks.detection.coco_shapes import box_around
from zoohub.tasks.detection.samples import box_count
from zoohub.tasks.detection.scenes import FOLDS, make_scene, make_scenes


def test_a_scene_depends_on_its_part_number_and_size_alone() -> None:
    digits = heldout_digits()
    image, boxes = make_scene(digits, "test", 3, 96)
    again, same = make_scenes(digits, "test", 4, 96).inputs[3], make_scene(digits, "test", 3, 96)[1]
    assert image.shape == (96, 96, 3)
    assert (image == again).all()
    assert (boxes == same).all()
    assert not (image == make_scene(digits, "train", 3, 96)[0]).all()


def test_boxes_lie_inside_and_hold_what_stands_out() -> None:
    scenes = make_scenes(heldout_digits(), "test", 30, 128)
    assert 4 < box_count(scenes) / 30 < 8
    contrasts = []
    for image, objects in zip(scenes.inputs, scenes.targets, strict=True):
        boxes = objects.boxes
        assert (boxes[:, 1:] >= 0).all()
        assert (boxes[:, 1:] <= 128).all()
        assert ((boxes[:, 3:] - boxes[:, 1:3]) >= 5).all()
        grey = np.asarray(image, np.float32).mean(2)
        for x1, y1, x2, y2 in boxes[:, 1:].astype(int):
            contrasts.append(grey[y1:y2, x1:x2].std() / (grey.std() + 1e-6))
    assert np.median(contrasts) > 0.8


def test_a_digits_shape_is_its_ink_which_its_box_is_around() -> None:
    scenes = make_scenes(heldout_digits(), "test", 4, 96)
    for objects in scenes.targets:
        assert objects.shaped
        for (_, *box), shape in zip(objects.boxes.tolist(), objects.shapes, strict=True):
            around = box_around(shape)
            assert around is not None
            x, y, width, height = around
            assert [x, y, x + width, y + height] == box


def test_parts_share_no_digit() -> None:
    used = [fold for folds in FOLDS.values() for fold in folds]
    assert sorted(used) == [0, 1, 2, 3, 4]
    assert FOLDS["test"] == (0,)
