"""Which data a segmenter can learn from, and how it is read."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from zoohub.errors import DataError
from zoohub.tasks.segmentation.coco_masks import CocoMasksReader
from zoohub.tasks.segmentation.folders import MasksReader
from zoohub.tasks.segmentation.scenes import NAMES, MaskScenesReader


def write(folder: Path, name: str, mask: list[list[int]]) -> None:
    """A picture and its mask in `images/` and `masks/`."""
    for kind, pixels in (("images", np.zeros((2, 2, 3))), ("masks", np.array(mask))):
        (folder / kind).mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels.astype(np.uint8)).save(folder / kind / f"{name}.png")


def read(folder: Path, *, measuring: bool = False):  # type: ignore[no-untyped-def]
    reader = MasksReader()
    assert reader.claims(folder)
    return reader.read(reader.describe(folder), measuring=measuring)


def test_pairs_are_found_by_name_and_a_share_is_split_off(tmp_path: Path) -> None:
    for number in range(5):
        write(tmp_path, f"p{number}", [[0, 1], [2, 255]])
    splits = read(tmp_path)
    assert splits.classes == ("background", "class 1", "class 2")
    assert (len(splits.train), len(splits.validation)) == (4, 1)
    assert splits.train.targets[0].read().tolist() == [[0, 1], [2, 255]]
    assert len(read(tmp_path, measuring=True).measured()) == 5


@pytest.mark.parametrize("above", [True, False])
def test_parts_lie_above_or_below_the_two_folders(tmp_path: Path, above: bool) -> None:
    for part, count in (("train", 3), ("val", 2), ("test", 1)):
        for number in range(count):
            write(tmp_path / part, f"p{number}", [[0, 1], [1, 0]])
        if not above:
            for kind in ("images", "masks"):
                (tmp_path / kind).mkdir(exist_ok=True)
                (tmp_path / part / kind).rename(tmp_path / kind / part)
    splits = read(tmp_path)
    assert [len(p) for p in (splits.train, splits.validation, splits.test)] == [3, 2, 1]


def test_black_and_white_masks_have_one_class_besides_the_ground(tmp_path: Path) -> None:
    write(tmp_path, "a", [[0, 255], [255, 0]])
    splits = read(tmp_path, measuring=True)
    assert splits.classes == ("background", "class 1")
    assert splits.measured().targets[0].read().tolist() == [[0, 1], [1, 0]]


def test_names_come_from_classes_txt_and_must_suffice(tmp_path: Path) -> None:
    write(tmp_path, "a", [[0, 1], [2, 0]])
    (tmp_path / "classes.txt").write_text("ground\ncat\ndog\n", "utf-8-sig")
    assert read(tmp_path).classes == ("ground", "cat", "dog")
    (tmp_path / "classes.txt").write_text("ground\n")
    with pytest.raises(DataError, match="names 1 class, but the masks have class 2"):
        read(tmp_path)


def test_pascal_vocs_lists_say_which_pictures_are_in_which_part(tmp_path: Path) -> None:
    for number in range(4):
        write(tmp_path, f"p{number}", [[0, 15], [0, 255]])
    (tmp_path / "images").rename(tmp_path / "JPEGImages")
    (tmp_path / "masks").rename(tmp_path / "SegmentationClass")
    lists = tmp_path / "ImageSets" / "Segmentation"
    lists.mkdir(parents=True)
    (lists / "train.txt").write_text("p0\np1\np3\n")
    (lists / "val.txt").write_text("p2\n")
    splits = read(tmp_path)
    assert (len(splits.train), len(splits.validation)) == (3, 1)
    assert splits.classes[15] == "person"


def test_a_picture_without_a_mask_is_counted(tmp_path: Path) -> None:
    write(tmp_path, "a", [[0, 1], [1, 0]])
    Image.new("RGB", (2, 2)).save(tmp_path / "images" / "b.png")
    (reason,) = read(tmp_path, measuring=True).skipped.values()
    assert "b.png: no mask of that name" in reason


def test_a_folder_of_pictures_alone_is_not_claimed(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    assert not MasksReader().claims(tmp_path)


def test_cocos_polygons_become_classes_and_their_order_is_that_of_the_ids(tmp_path: Path) -> None:
    Image.new("RGB", (6, 4)).save(tmp_path / "a.png")
    square = [[0, 0, 3, 0, 3, 3, 0, 3]]
    content = {
        "images": [{"id": 7, "file_name": "a.png", "height": 4, "width": 6}],
        "categories": [{"id": 9, "name": "dog"}, {"id": 3, "name": "cat"}],
        "annotations": [{"image_id": 7, "category_id": 9, "segmentation": square}],
    }
    file = tmp_path / "train.json"
    file.write_text(json.dumps(content))
    reader = CocoMasksReader()
    assert reader.claims(file)
    splits = reader.read(reader.describe(file), measuring=True)
    assert splits.classes == ("background", "cat", "dog")
    assert set(np.unique(splits.measured().targets[0].read())) == {0, 2}


def test_ink_is_all_digits_as_one_class() -> None:
    reader = MaskScenesReader()
    data = reader.describe(Path("digit-ink"))
    assert reader.claims(Path("digit-ink"))
    apart = reader.read(replace(data, ink=False, test=3), measuring=True)
    together = reader.read(replace(data, test=3), measuring=True)
    assert together.classes == ("background", "digit")
    for one, other in zip(apart.test.targets, together.test.targets, strict=True):
        assert ((one.read() > 0) == other.read()).all()
        assert set(np.unique(other.read())) == {0, 1}


def test_digits_scenes_have_a_class_for_each_pixel_of_ink() -> None:
    from zoohub.tasks.segmentation.recipe import MaskScenesData

    data = MaskScenesData("digit-scenes", size=64, test=2)
    splits = MaskScenesReader().read(data, measuring=True)
    mask = splits.test.targets[0].read()
    assert splits.classes == NAMES
    assert mask.shape == (64, 64)
    assert 1 < len(np.unique(mask)) <= 9
