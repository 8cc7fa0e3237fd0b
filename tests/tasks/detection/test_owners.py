"""Masks go where their pictures and boxes go, and networks get those that they learn from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from zoohub.errors import DataError
from zoohub.manifest.entry import InputContract, NetworkSpec
from zoohub.tasks.detection.augment import Drawn, flip, letterbox, mosaic, stretch
from zoohub.tasks.detection.coco_shapes import given_shape
from zoohub.tasks.detection.owners import draw_owners, fill_polygon, target_owners
from zoohub.tasks.detection.readers import read_boxes
from zoohub.tasks.detection.recipe import BoxAugment, BoxesData, DetectionRecipe, ScenesData
from zoohub.tasks.detection.rows import TrainingPictures
from zoohub.tasks.detection.samples import Objects, Shape, as_boxes
from zoohub.tasks.detection.task import TASK
from zoohub.tasks.samples import Samples, Splits, none

CONTRACT = InputContract(
    size=(96, 96), layout="NCHW", value_range="0..1", interpolation="bilinear", resize="letterbox"
)
RECIPE = DetectionRecipe(
    task="object-detection",
    model="yolov8n",
    data=ScenesData("digit-scenes"),
    augment=BoxAugment(hue=0, saturation=0, value=0),
    most_boxes=3,
)
COLOURS = (90, 160, 230)


def _rectangle(x1: float, y1: float, x2: float, y2: float) -> Shape:
    return [[x1, y1, x2, y1, x2, y2, x1, y2]]


def _picture(seed: int) -> Drawn:
    """Three rectangles, each of a colour of its own, on black; they may overlap."""
    random = np.random.default_rng(seed)
    rows = []
    for place in range(3):
        x, y = random.integers(0, 50), random.integers(0, 30)
        w, h = random.integers(8, 30, 2)
        rows.append((place, x, y, min(80, x + w), min(60, y + h)))
    shapes = tuple(_rectangle(*row[1:]) for row in rows)
    objects = Objects(as_boxes(rows), shapes=shapes)
    owners = draw_owners(objects, (60, 80))
    pixels = np.array([0, *COLOURS], np.uint8)[owners]
    return Drawn(np.repeat(pixels[..., None], 3, 2), objects.boxes, owners)


def _agree(drawn: Drawn) -> float:
    """The share of pixels whose colour is that of the object that they belong to."""
    assert drawn.owners is not None
    classes = np.concatenate([[0], drawn.boxes[:, 0] + 1]).astype(int)
    expected = np.array([0, *COLOURS])[classes[drawn.owners]]
    known = drawn.pixels[..., 0] != 114  # what the contract fills with
    return float((np.abs(drawn.pixels[..., 0].astype(int) - expected) < 40)[known].mean())


@pytest.mark.parametrize("seed", range(4))
def test_owners_follow_their_pictures(seed: int) -> None:
    random = np.random.default_rng(seed)
    augment = BoxAugment(scale=0.1, shift=0.05)
    placed = letterbox(_picture(seed), CONTRACT, augment, random)
    assert _agree(placed) > 0.93
    assert _agree(flip(placed)) > 0.93
    assert _agree(stretch(_picture(seed), CONTRACT)) > 0.93


@pytest.mark.parametrize("seed", range(4))
def test_in_a_mosaic_they_are_numbered_by_the_boxes_that_are_left(seed: int) -> None:
    pictures = [_picture(10 * seed + i) for i in range(4)]
    drawn = mosaic(pictures, CONTRACT, BoxAugment(scale=0.2), np.random.default_rng(seed))
    assert drawn.owners is not None
    assert drawn.owners.max() <= len(drawn.boxes)
    for place, (label, x1, y1, x2, y2) in enumerate(drawn.boxes):
        rows, columns = np.nonzero(drawn.owners == place + 1)
        if len(rows):  # else another lies on it
            assert min(columns) >= x1 - 1.5
            assert max(columns) < x2 + 1.5
            assert min(rows) >= y1 - 1.5
            assert max(rows) < y2 + 1.5
            colours = drawn.pixels[rows, columns, 0]
            assert abs(float(np.median(colours)) - COLOURS[int(label)]) < 40


def test_polygons_and_runs_are_drawn_and_the_smaller_is_on_top() -> None:
    small = {"size": [8, 10], "counts": [8 * 4 + 3, 2, 6, 2]}  # the rest is left out
    shapes = (small, _rectangle(2, 1, 8, 7), {"size": [8, 10], "counts": [0, 80]})
    boxes = as_boxes([[0, 4, 3, 6, 5], [0, 2, 1, 8, 7]])
    owners = draw_owners(Objects(boxes, as_boxes([[0, 0, 0, 10, 8]]), shapes), (8, 10))
    expected = np.zeros((8, 10), int)
    expected[1:7, 2:8] = 2
    expected[3:5, 4:6] = 1
    assert owners.tolist() == expected.tolist()


@pytest.mark.parametrize("seed", range(5))
def test_polygons_are_the_pixels_whose_middle_is_inside(seed: int) -> None:
    random = np.random.default_rng(seed)
    corners = random.uniform(-10, 50, (int(random.integers(3, 8)), 2))  # may cross itself
    inside = fill_polygon(corners, (30, 40))
    for row, column in np.ndindex(30, 40):
        x, y, odd = column + 0.5, row + 0.5, False
        for (x1, y1), (x2, y2) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
            if (y1 > y) != (y2 > y) and x > x1 + (y - y1) / (y2 - y1) * (x2 - x1):
                odd = not odd
        assert inside[row, column] == odd
    far = np.array([[-1e308, -1e308], [1e308, -1e308], [1e308, 1e308], [-1e308, 1e308]])
    assert fill_polygon(far, (3, 4)).all()
    assert not fill_polygon(corners + 100, (30, 40)).any()


def test_targets_are_a_quarter_as_large_and_of_the_boxes_that_stay() -> None:
    owners = np.zeros((8, 12), np.int32)
    owners[:, 2:6] = 1  # two of the four middle pixels of the first cells, and of the second ones
    owners[:, 9:] = 3
    boxes = as_boxes([[0, 2, 0, 6, 8], [0, 0, 0, 1, 1], [0, 9, 0, 12, 8]])
    assert target_owners(owners, boxes, np.array([0, 2])).tolist() == [[1, 1, 2]] * 2
    assert target_owners(owners, boxes, np.array([2])).tolist() == [[0, 0, 1]] * 2


def test_rows_have_masks_where_the_data_has_shapes_and_parts_their_own() -> None:
    pictures = [_picture(seed) for seed in range(4)]
    rows = [(3, 8, 9, 20, 20), (1, 30, 30, 60, 50)]
    objects = [Objects(as_boxes(rows), shapes=tuple(_rectangle(*r[1:]) for r in rows))] * 4
    samples = Samples([p.pixels for p in pictures], objects, [str(i) for i in range(4)])
    make = TrainingPictures(samples, CONTRACT, RECIPE)
    made = [make(i, np.random.default_rng(i), {}.setdefault, 0) for i in range(4)]
    for row in made:
        assert row.targets["owners"].shape == (24, 24)
        assert set(np.unique(row.targets["owners"])) <= set(range(4))
    stacked = replace(
        made[0],
        inputs={"image": np.stack([row.inputs["image"] for row in made])},
        targets={key: np.stack([row.targets[key] for row in made]) for key in made[0].targets},
    )
    for part, (_, (boxes, owners)) in enumerate(
        TASK.step_batches(stacked, RECIPE, 4, np.random.default_rng(0), 2)
    ):
        assert (boxes[0] == made[2 * part].targets["boxes"]).all()
        assert (owners == stacked.targets["owners"][2 * part : 2 * part + 2]).all()


def test_networks_get_the_shapes_that_they_learn_from_and_no_others() -> None:
    boxes = as_boxes([[0, 1, 1, 9, 9]])
    shaped, bare = Objects(boxes, shapes=(_rectangle(1, 1, 9, 9),)), Objects(boxes)

    def splits(*objects: Objects) -> Splits[Objects]:
        names = [f"{i}.png" for i in range(len(objects))]
        return Splits(("cat",), Samples(names, objects, names), none(), none())

    plain, masks = NetworkSpec("yolov8", {}), NetworkSpec("yolov8", {"masks": True})
    given = splits(shaped, bare, Objects(as_boxes([])))
    without = TASK.fitted(RECIPE, given, plain, None)
    assert [objects.shapes for objects in without.train.targets] == [(), (), ()]
    assert [*without.identity()] == [*splits(bare, bare, Objects(as_boxes([]))).identity()]
    left = TASK.fitted(RECIPE, given, masks, None)
    assert left.train.names == ["0.png", "2.png"]
    assert left.warnings[0].startswith("1 training picture has objects of which boxes alone are")
    assert [*left.identity()] != [*TASK.fitted(RECIPE, left, plain, None).identity()]
    with pytest.raises(DataError, match=r"yolov8 with masks learns from the objects' shapes.*COCO"):
        TASK.fitted(RECIPE, splits(bare, Objects(as_boxes([]))), masks, None)


@pytest.mark.parametrize(
    ("second", "shaped"),
    [
        ("1 .2 .2 .6 .2 .6 .8", True),
        ("1 .5 .5 .2 .2", False),
        ("1 .2 .2 .6 .2 .6 9e9", False),  # pycocotools would walk to there
    ],
)
def test_yolos_polygons_are_shapes_where_all_labels_are_polygons(
    tmp_path: Path, second: str, shaped: bool
) -> None:
    for name in ("images", "labels"):
        (tmp_path / name).mkdir()
    Image.new("RGB", (40, 20)).save(tmp_path / "images" / "a.png")
    (tmp_path / "labels" / "a.txt").write_text(f"0 0 0 .5 0 .5 1 0 1\n{second}\n")
    (tmp_path / "data.yaml").write_text("train: images\nnames: [cat, dog]\n")
    splits = read_boxes(BoxesData("boxes", str(tmp_path / "data.yaml"), validation=0.0))
    (objects,) = splits.train.targets
    assert objects.shaped is shaped
    if shaped:
        assert objects.shapes[0] == [[0, 0, 20, 0, 20, 20, 0, 20]]
        owners = draw_owners(objects, (20, 40))
        assert owners[10, 5] == 1
        assert owners[5, 23] == 2


@pytest.mark.parametrize("far", [1e300, -1e300, 2.0**21])
def test_a_polygon_that_leaves_every_picture_is_no_shape(far: float) -> None:
    polygon = [[30, 30, far, 30, 90, 90]]
    assert given_shape({"segmentation": polygon}, (120, 160)) is None
    assert given_shape({"segmentation": polygon[0]}, (120, 160)) is None
    polygon[0][2] = 170.0  # a little beyond the edge
    assert given_shape({"segmentation": polygon}, (120, 160)) == polygon


@pytest.mark.parametrize("counts", [[205, 15, 10], [205, 0, 0, 15], "]6?0000"])
def test_runs_that_stop_short_go_to_the_last_pixel(counts: object) -> None:
    """pycocotools compared such a mask with another for ever."""
    mask = pytest.importorskip("pycocotools.mask")
    shape = given_shape({"segmentation": {"size": [40, 50], "counts": counts}}, (40, 50))
    assert isinstance(shape, dict)
    assert sum(shape["counts"]) == 2000  # type: ignore[call-overload]
    there = draw_owners(Objects(as_boxes([[0, 5, 5, 20, 20]]), shapes=(shape,)), (40, 50)) > 0
    whole = mask.frPyObjects(shape, 40, 50)
    assert (mask.decode(whole) == there).all()
    assert mask.iou([whole], [mask.encode(np.asfortranarray(there, np.uint8))], [0]) == 1


@pytest.mark.parametrize("counts", [[205, 15, 1780], "]6?dg1"])
def test_runs_that_reach_the_end_stay_as_they_are(counts: object) -> None:
    shape = {"size": [40, 50], "counts": counts}
    assert given_shape({"segmentation": shape}, (40, 50)) is shape


def test_a_text_of_runs_that_is_torn_is_no_shape() -> None:
    """Its last character says that another follows: pycocotools read on behind its end."""
    shape = {"size": [40, 50], "counts": "]6?dg"}
    assert given_shape({"segmentation": shape}, (40, 50)) is None
