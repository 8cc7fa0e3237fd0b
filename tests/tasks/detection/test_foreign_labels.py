"""Labels as Windows, Chinese editors, Roboflow and other tools write them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from zoohub.errors import DataError
from zoohub.tasks.detection.coco_shapes import box_around
from zoohub.tasks.detection.readers import read_boxes
from zoohub.tasks.detection.recipe import BoxesData
from zoohub.tasks.detection.samples import Objects, box_count
from zoohub.tasks.samples import Splits
from zoohub.tasks.segmentation.coco_masks import CocoMasksReader
from zoohub.tasks.segmentation.recipe import CocoMasksData

LABELS = "0 0.5 0.5 0.5 0.5\r\n1 0.5 0.5 0.25 0.5\r\n"


def _read(file: Path, training: bool = False) -> Splits[Objects]:
    return read_boxes(BoxesData("boxes", str(file), validation=0.0), training)


def _yolo(folder: Path, labels: bytes | None = LABELS.encode(), yaml: str = "") -> Path:
    for name in ("images", "labels"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (40, 20), (90, 120, 30)).save(folder / "images" / "a.png")
    if labels is not None:
        (folder / "labels" / "a.txt").write_bytes(labels)
    (folder / "data.yaml").write_text(yaml or "train: images\nnames: [cat, dog]\n", "utf-8")
    return folder / "data.yaml"


def _coco(folder: Path, **changes: Any) -> Path:
    folder.mkdir(exist_ok=True)
    Image.new("RGB", (40, 20), (90, 120, 30)).save(folder / "a.png")
    content = {
        "images": [{"id": 1, "file_name": "a.png", "height": 20, "width": 40}],
        "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}],
        "annotations": [{"image_id": 1, "category_id": 2, "bbox": [4, 2, 10, 8]}],
        **changes,
    }
    (folder / "c.json").write_text(json.dumps(content))
    return folder / "c.json"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_labels_saved_on_windows_lose_no_box(tmp_path: Path, encoding: str) -> None:
    splits = _read(_yolo(tmp_path, LABELS.encode(encoding)))
    np.testing.assert_array_equal(
        splits.train.targets[0].boxes, [[0, 10, 5, 30, 15], [1, 15, 5, 25, 15]]
    )
    assert (splits.warnings, splits.skipped) == ((), {})


@pytest.mark.parametrize("labels", [b"0 .5 .5 .5 .5\n\x81\x82\xff", b"0 .5 .5 .5 .5\n\0"])
def test_a_picture_whose_labels_are_no_text_is_left_out_and_named(
    tmp_path: Path, labels: bytes
) -> None:
    splits = _read(_yolo(tmp_path, labels))
    assert not len(splits.train)
    assert r"labels/a.txt:2: not" in splits.skipped[str(tmp_path / "images/a.png")]


def test_numbers_beyond_measure_are_lines_that_are_no_label(tmp_path: Path) -> None:
    wrong = ["0 1e999 .5 .5 .5", "0 nan .5 .5 .5", "9e999 .5 .5 .5 .5", "inf .5 .5 .5 .5"]
    wrong += ["0 -1e308 1e308 1e308 1e308", f"{'9' * 5000} .5 .5 .5 .5", "0 .5 .5 .5 .5 1e999 0 0"]
    splits = _read(_yolo(tmp_path, "\n".join([*wrong, "1 .5 .5 .5 .5"]).encode()))
    np.testing.assert_array_equal(splits.train.targets[0].boxes, [[1, 10, 5, 30, 15]])
    assert splits.warnings[0].startswith("7 lines that are no label were left out")


def test_missing_label_files_are_counted_and_where_they_were_looked_for_is_said(
    tmp_path: Path,
) -> None:
    file = _yolo(tmp_path, None)
    Image.new("RGB", (40, 20)).save(tmp_path / "images" / "b.png")
    (warning,) = _read(file).warnings
    assert warning == (
        "2 pictures have no label file and count as empty "
        f"(first: a.png, looked for {tmp_path / 'labels/a.txt'})"
    )
    with pytest.raises(DataError, match=r"no box is left to train on: 2 pictures .*looked for"):
        _read(file, training=True)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ("[yes, no]", ("yes", "no")),
        ("[on, off]", ("on", "off")),
        ("{0: on, 1: off}", ("on", "off")),
        ("{1: true, 0: null value}", ("null value", "true")),
        ("[1.0, 1.10]", ("1.0", "1.10")),
        ("[01, 1]", ("01", "1")),
        ("\n  - 2024-13-45\n  - 1e999", ("2024-13-45", "1e999")),
        ("['null', \"~\"]", ("null", "~")),
        ("[猫, 狗]", ("猫", "狗")),
        ("[" + "a" * 5000 + ", b]", ("a" * 5000, "b")),
    ],
)
def test_names_are_words(tmp_path: Path, names: str, expected: tuple[str, ...]) -> None:
    splits = _read(_yolo(tmp_path, yaml=f"train: images\nnc: 2\nnames: {names}\n"))
    assert splits.classes == expected


@pytest.mark.parametrize(
    ("yaml", "message"),
    [
        ("train: images\nnames: {0: a, 2: b}\n", r"data\.yaml:2: `names` must number"),
        ("train: images\nnames: {a: b}\n", r"data\.yaml:2: `names` must list"),
        ("train: images\nnames: [a, ~]\n", r"data\.yaml:2: a class's name in `names` is no text"),
        ("train: images\nnames: [a, [b]]\n", r"data\.yaml:2: a class's name"),
        ("train: images\nnc: 3\nnames: [a]\n", r"data\.yaml:2: `nc` is 3, but"),
        ("train: images\nnc: 1e999\nnames: [a]\n", r"data\.yaml:2: `nc` is 1e999"),
        ("train: {a: b}\nnames: [a]\n", r"data\.yaml:1: `train` must name"),
        ("train: [images, 2, [x]]\nnames: [a]\n", r"data\.yaml:1: `train` must name"),
        ("train: images\nval: " + "a" * 5000 + "\nnames: [a]\n", r":2: `val`: a path of 5000"),
        ("train: 2024-13-45\nnames: [a]\n", r"`train`: there is no folder or list .*2024-13-45"),
        ("train: !!int x\nnames: [a]\n", r"data\.yaml:1: tags are refused"),
        ("train: &a images\nval: *a\nnames: [a]\n", r"data\.yaml:1: anchors"),
        ("train: images\npath: [a]\nnames: [a]\n", r"data\.yaml:2: `path` must be"),
        ("train: " + "[" * 5000, r"data\.yaml:1: "),
        ("- train\n", r"no data set's description"),
        ("train: ~nobody-here/x\nnames: [a]\n", r"there is no folder or list"),
    ],
)
def test_a_description_that_cannot_be_used_is_named_with_its_line(
    tmp_path: Path, yaml: str, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        _read(_yolo(tmp_path, yaml=yaml))


@pytest.mark.parametrize("entry", [".\\images", "..\\images", "images\\", "'images\\'"])
def test_backslashes_part_folders(tmp_path: Path, entry: str) -> None:
    assert len(_read(_yolo(tmp_path, yaml=f"train: {entry}\nnames: [a, b]\n")).train) == 1


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "gbk"])
def test_lists_of_pictures_are_read_however_they_were_saved(tmp_path: Path, encoding: str) -> None:
    file = _yolo(tmp_path, yaml="train: list.txt\nnames: [cat, dog]\n")
    (tmp_path / "images" / "a.png").rename(tmp_path / "images" / "图片.png")
    (tmp_path / "labels" / "a.txt").rename(tmp_path / "labels" / "图片.txt")
    (tmp_path / "list.txt").write_bytes("images\\图片.png\r\n\r\n".encode(encoding))
    assert box_count(_read(file).train) == 2


def test_a_part_with_files_but_no_picture_says_what_it_found(tmp_path: Path) -> None:
    file = _yolo(tmp_path, yaml="train: images\nval: labels\nnames: [a, b]\n")
    with pytest.raises(DataError, match=r"`val`: no picture in .*labels: found 1 \.txt"):
        _read(file)


ROBOFLOW = [
    {"id": 0, "name": "pets", "supercategory": "none"},
    {"id": 1, "name": "cat", "supercategory": "pets"},
    {"id": 2, "name": "dog", "supercategory": "pets"},
]


def test_roboflows_empty_class_0_shifts_no_class(tmp_path: Path) -> None:
    splits = _read(_coco(tmp_path, categories=ROBOFLOW))
    assert splits.classes == ("cat", "dog")
    assert splits.train.targets[0].boxes[0, 0] == 1
    assert splits.warnings == (
        "'pets' only heads the other categories and has no object: no class",
    )


@pytest.mark.parametrize(
    "categories",
    [
        [{"id": 0, "name": "cat"}, {"id": 2, "name": "dog"}],
        [ROBOFLOW[0], {**ROBOFLOW[1], "supercategory": "none"}, ROBOFLOW[2]],
        [{"id": 0, "name": "pets", "supercategory": "none"}],
    ],
)
def test_another_class_without_boxes_stays_one(tmp_path: Path, categories: Any) -> None:
    annotation = {"image_id": 1, "category_id": categories[-1]["id"], "bbox": [4, 2, 10, 8]}
    splits = _read(_coco(tmp_path, categories=categories, annotations=[annotation]))
    assert splits.classes == tuple(row["name"] for row in categories)


def test_roboflows_class_0_counts_where_any_part_has_an_object_of_it(tmp_path: Path) -> None:
    train, valid = tmp_path / "train", tmp_path / "valid"
    _coco(train, categories=ROBOFLOW)
    rows = [{"image_id": 1, "category_id": 0, "bbox": [4, 2, 10, 8]}]
    _coco(valid, categories=ROBOFLOW, annotations=rows)
    assert _read(train / "c.json").classes == ("pets", "cat", "dog")
    _coco(valid, categories=ROBOFLOW)
    assert _read(train / "c.json").classes == ("cat", "dog")
    _coco(valid, categories=ROBOFLOW[:2], annotations=[])
    with pytest.raises(DataError, match=r"valid/c\.json has other categories than .*train/c\.json"):
        _read(train / "c.json")


def test_masks_have_the_same_classes(tmp_path: Path) -> None:
    row = {"image_id": 1, "category_id": 2, "segmentation": [[2, 2, 20, 2, 20, 10, 2, 10]]}
    file = _coco(tmp_path, categories=ROBOFLOW, annotations=[row])
    splits = CocoMasksReader().read(CocoMasksData("coco-masks", str(file)), measuring=True)
    assert splits.classes == ("background", "cat", "dog")
    assert set(np.unique(splits.train.targets[0].read())) == {0, 2}


MASK = np.zeros((20, 40), np.uint8)
MASK[2:10, 4:14] = 1
MASK[15, 30] = 1


@pytest.mark.parametrize("kind", ["text", "list"])
def test_boxes_are_those_around_run_length_masks(kind: str) -> None:
    coco = pytest.importorskip("pycocotools.mask")
    for mask in (MASK, 1 - MASK, MASK[:, ::-1], np.ones_like(MASK), np.eye(20, 40, dtype=np.uint8)):
        code = coco.encode(np.asfortranarray(mask))
        expected = tuple(coco.toBbox(coco.encode(np.asfortranarray(mask))))
        counts: Any = code["counts"].decode()
        if kind == "list":
            flat = mask.ravel(order="F")
            ends = [*np.flatnonzero(np.diff(flat, prepend=1 - flat[:1])).tolist(), flat.size]
            counts = np.diff(ends).tolist() if flat[0] == 0 else [0, *np.diff(ends).tolist()]
        assert box_around({"size": [20, 40], "counts": counts}) == expected


@pytest.mark.parametrize("box", [{}, {"bbox": None}, {"bbox": []}, {"bbox": [0, 0, 0, 0]}])
def test_polygons_without_boxes_have_the_box_around_them(tmp_path: Path, box: Any) -> None:
    shape = [[4, 2, 14, 2, 14, 10], [6, 12, 8, 12, 8, 3]]
    row = {"image_id": 1, "category_id": 2, "segmentation": shape, **box}
    flat = {"image_id": 1, "category_id": 1, "segmentation": shape[0], **box}
    splits = _read(_coco(tmp_path, annotations=[row, flat]))
    np.testing.assert_array_equal(
        splits.train.targets[0].boxes, [[1, 4, 2, 14, 12], [0, 4, 2, 14, 10]]
    )


@pytest.mark.parametrize(
    "shape",
    [None, [], [[1, 2]], [[1, 2, 3, 4, 5]], [[1, 2, 3, 4, 5, "x"]], "x", {"counts": "~~"}, [[]],
     {"counts": [1, 2], "size": [0, 2]}, {"counts": [-1, 2], "size": [9, 2]}, [{}],
     {"counts": [10**299], "size": [9, 2]}, {"counts": "P" * 50, "size": [9, 9]}, {"counts": [5]}],
)  # fmt: skip
def test_an_object_without_box_or_shape_is_counted(tmp_path: Path, shape: Any) -> None:
    row = {"image_id": 1, "category_id": 2, "segmentation": shape}
    splits = _read(_coco(tmp_path, annotations=[row]))
    assert box_count(splits.train) == 0
    assert splits.warnings[0].startswith(
        "1 annotation without a box that makes sense was left out (first: "
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"categories": [{"id": "x", "name": "a"}]}, r"categories\[0\]: id: expected a whole"),
        ({"categories": [{"id": None, "name": "a"}]}, r"categories\[0\]: id: expected a whole"),
        ({"categories": [{"id": True, "name": "a"}]}, r"categories\[0\]: id: expected a whole"),
        ({"categories": [{"id": 1, "name": ["a"]}]}, r"categories\[0\]: name: expected text"),
        ({"categories": []}, r"there is no category"),
        ({"images": [{"id": [1], "file_name": "a.png"}]}, r"images\[0\]: id: expected a number"),
        ({"images": [{"id": 1, "file_name": 3}]}, r"images\[0\]: file_name: expected text"),
        ({"images": [{"id": 1, "file_name": "a.png"}] * 2}, r"two images have one id"),
        ({"annotations": [{"image_id": [1]}]}, r"annotations\[0\]: image_id: expected a number"),
        ({"annotations": [{"image_id": 1, "category_id": {}}]}, r"annotations\[0\]: category_id"),
        ({"annotations": [{"bbox": [1, 2, 3, 10**400]}]}, r"c\.json:1: a number of 401 digits"),
        ({"annotations": [{"bbox": [1, 2, 3, float("nan")]}]}, r"c\.json:1: NaN is no number"),
    ],
)
def test_what_is_not_cocos_is_named(tmp_path: Path, changes: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        _read(_coco(tmp_path, **changes))


def test_half_a_character_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"c\.json:1: half a character"):
        _read(_coco(tmp_path, images=[{"id": 1, "file_name": "\ud83d"}]))


@pytest.mark.parametrize("name", ["a\0.png", "a" * 5000, "gone.png", "~nobody-here/a.png"])
def test_pictures_of_odd_names_are_left_out_in_a_short_sentence(tmp_path: Path, name: str) -> None:
    file = _coco(tmp_path, images=[{"id": 1, "file_name": name}])
    with pytest.raises(DataError, match=r"1 picture was left out \(first: ") as caught:
        _read(file, training=True)
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_coco_of_windows_is_read(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "sub").mkdir()
    _coco(tmp_path / "sub")
    file = _coco(tmp_path, images=[{"id": 1, "file_name": "sub\\a.png"}])
    file.write_bytes(file.read_text().encode(encoding))
    assert box_count(_read(file).train) == 1


def test_cocos_shapes_are_kept_to_measure_and_not_to_train(tmp_path: Path) -> None:
    box = {"image_id": 1, "category_id": 2, "bbox": [4, 2, 10, 8]}
    polygon = [4, 2, 14, 2, 14, 10]
    runs = {"size": [20, 40], "counts": [0, 20, 780]}
    objects = [
        {**box, "segmentation": runs, "iscrowd": 1},
        {**box, "segmentation": [polygon]},
        {**box, "bbox": [4, 2, 0, 0], "segmentation": [polygon]},  # an empty box is left out
        {**box, "segmentation": polygon},
    ]
    file = _coco(tmp_path, annotations=objects)
    (target,) = _read(file).train.targets
    assert target.shapes == ([polygon], [polygon], runs)
    assert target.shaped
    for broken in ([polygon[:4]], {**runs, "size": [40, 20]}, None):
        file = _coco(tmp_path, annotations=[*objects, {**box, "segmentation": broken}])
        (target,) = _read(file).train.targets
        assert (len(target.boxes), target.shaped) == (3, False)
