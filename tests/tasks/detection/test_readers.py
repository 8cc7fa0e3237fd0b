"""Labels in YOLO's and COCO's formats; what is wrong is counted and named, never trained on."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image

from zoohub.errors import DataError, RecipeError
from zoohub.inputs.picture import files
from zoohub.tasks.detection.labels import CUT, OUTSIDE, Complaints, check_boxes
from zoohub.tasks.detection.readers import BoxesReader, ScenesReader, read_boxes
from zoohub.tasks.detection.recipe import BoxesData
from zoohub.tasks.detection.samples import box_count
from zoohub.tasks.detection.task import TASK
from zoohub.tasks.detection.yolo_format import label_file
from zoohub.tasks.finding import find_reader
from zoohub.tasks.samples import left_out_sentence
from zoohub.training.planning import folder_to_resume


def _picture(path: Path, size: tuple[int, int] = (40, 20)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (90, 120, 30)).save(path)


def _yolo(folder: Path, labels: dict[str, str], names: Any = "default", **more: Any) -> Path:
    for name, text in labels.items():
        part, _, stem = name.partition("/")
        _picture(folder / "images" / part / f"{stem}.png")
        file = folder / "labels" / part / f"{stem}.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    content = {"train": "images/train", "val": "images/val", "names": names, **more}
    if names == "default":
        content["names"] = ["cat", "dog"]
    for part in ("train", "val"):
        (folder / "images" / part).mkdir(parents=True, exist_ok=True)
    file = folder / "data.yaml"
    file.write_text(yaml.safe_dump(content))
    return file


def _read(file: Path, **more: Any) -> Any:
    return read_boxes(BoxesData("boxes", str(file), **more))


def test_yolo_labels_become_boxes_in_pixels(tmp_path: Path) -> None:
    file = _yolo(
        tmp_path,
        {"train/a": "1 0.5 0.5 0.5 0.4\n\n0 0.1 0.1 0.2 0.2 0.3 0.6\n", "val/b": ""},
        {0: "cat", 1: "dog"},
    )
    splits = _read(file)
    assert splits.classes == ("cat", "dog")
    # The second line is a polygon; the first, centre and size.
    np.testing.assert_allclose(
        splits.train.targets[0].boxes, [[1, 10, 6, 30, 14], [0, 4, 2, 12, 12]], atol=1e-4
    )
    assert len(splits.validation) == 1
    assert box_count(splits.validation) == 0
    assert splits.warnings == ()


def test_bad_boxes_are_left_out_counted_and_named(tmp_path: Path) -> None:
    lines = [
        "0 0.5 0.5 0.5 0.5",
        "0 1.5 0.5 0.2 0.2",
        "1 0.5 0.5 0 0.3",
        "2 0.5 0.5 0.2 0.2",
        "0.5 0.5 0.5 0.2 0.2",
        "0 nan 0.5 0.2 0.2",
        "0 0.5 0.5",
        "cat 0.5 0.5 0.2 0.2",
        "1 0.95 0.5 0.3 0.5",
    ]
    splits = _read(_yolo(tmp_path, {"train/a": "\n".join(lines), "val/b": "0 .5 .5 .5 .5"}))
    np.testing.assert_allclose(
        splits.train.targets[0].boxes, [[0, 10, 5, 30, 15], [1, 32, 5, 40, 15]], atol=1e-4
    )
    text = "\n".join(splits.warnings)
    assert "1 box outside its picture was left out" in text
    assert "a.txt:2" in text
    assert "1 box of no area" in text
    assert "2 boxes with a label out of range" in text
    assert "a.txt:4" in text
    assert "3 lines that are no label" in text
    assert "1 box was cut at its picture's edge" in text


def test_less_than_half_a_pixel_in_the_picture_is_outside_of_it() -> None:
    complaints = Complaints()
    rows = np.array([[0, 39.7, 0, 60, 20], [0, 39.5, 0, 60, 20], [1, -9, -30, 8, 0.4]])
    kept = check_boxes(rows, ["a", "b", "c"], (20, 40), 2, complaints)
    np.testing.assert_allclose(kept, [[0, 39.5, 0, 40, 20]])
    assert complaints.counts == {OUTSIDE: 2, CUT: 1}


def test_unreadable_pictures_are_left_out_and_named(tmp_path: Path) -> None:
    file = _yolo(tmp_path, {"train/a": "0 .5 .5 .5 .5", "train/b": "0 .5 .5 .5 .5", "val/c": ""})
    (tmp_path / "images" / "train" / "b.png").write_bytes(b"")
    splits = _read(file)
    assert [Path(name).name for name in splits.train.names] == ["a.png"]
    assert [Path(path).name for path in splits.skipped] == ["b.png"]
    (sentence,) = left_out_sentence(splits.skipped)
    assert "1 picture was left out" in sentence
    assert "empty file" in sentence


def test_a_picture_cut_short_is_no_error_where_only_headers_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = _yolo(tmp_path, {"train/a": "0 .5 .5 .5 .5", "val/b": ""})
    picture = tmp_path / "images" / "train" / "a.png"
    picture.write_bytes(picture.read_bytes()[:60])
    monkeypatch.setattr(files, "DECODED_BYTES", 0)
    assert _read(file).train.names == [str(picture)]


def test_without_boxes_or_names_there_is_nothing_to_train_on(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no box is left to train on.*1 box of no area"):
        _read(_yolo(tmp_path / "a", {"train/a": "0 .5 .5 0 0"}))
    with pytest.raises(DataError, match="`names` must list the classes"):
        _read(_yolo(tmp_path / "b", {"train/a": "0 .5 .5 .5 .5"}, None))
    with pytest.raises(DataError, match="`nc` is 3, but there are 2 names"):
        _read(_yolo(tmp_path / "c", {"train/a": "0 .5 .5 .5 .5"}, nc=3))
    with pytest.raises(DataError, match="there is no folder or list of pictures"):
        _read(_yolo(tmp_path / "d", {"train/a": "0 .5 .5 .5 .5"}, val="images/none"))
    (tmp_path / "e.yaml").write_text("model: yolov5s\n")
    with pytest.raises(DataError, match="no data set's description"):
        _read(tmp_path / "e.yaml")


def test_roboflows_parts_beside_the_file_are_found_one_folder_up(tmp_path: Path) -> None:
    labels = {"train/a": "0 .5 .5 .5 .5", "val/b": "0 .5 .5 .5 .5"}
    up = {part: f"../images/{part}" for part in ("train", "val")}
    splits = _read(_yolo(tmp_path / "set", labels, **up))
    assert (box_count(splits.train), box_count(splits.validation)) == (1, 1)
    _picture(tmp_path / "images" / "train" / "c.png")  # what is there as written comes first
    (tmp_path / "images" / "train" / "c.txt").write_text("1 .5 .5 .5 .5")
    assert Path(_read(tmp_path / "set" / "data.yaml").train.names[0]).name == "c.png"
    with pytest.raises(DataError, match=r"pictures .*/set/\.\./none"):
        _read(_yolo(tmp_path / "set", labels, val="../none"))


def test_without_a_validation_part_one_is_split_off_by_the_seed(tmp_path: Path) -> None:
    file = _yolo(tmp_path, {f"train/{i}": "0 .5 .5 .5 .5" for i in range(10)})
    one, two = _read(file, validation=0.3), _read(file, validation=0.3)
    assert (len(one.train), len(one.validation)) == (7, 3)
    assert one.validation.names == two.validation.names
    assert set(one.train.names).isdisjoint(one.validation.names)
    assert one.validation.names != _read(file, validation=0.3, seed=1).validation.names


def test_labels_lie_beside_the_pictures_folder_or_beside_the_picture(tmp_path: Path) -> None:
    assert label_file(Path("/d/images/train/images/x.jpg")) == Path("/d/images/train/labels/x.txt")
    assert label_file(Path("/d/pictures/x.jpg")) == Path("/d/pictures/x.txt")
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "x.txt").write_text("")
    assert label_file(tmp_path / "images" / "x.jpg") == tmp_path / "images" / "x.txt"


def _coco(folder: Path, **changes: Any) -> Path:
    (folder / "annotations").mkdir(parents=True)
    for part in ("train", "val"):
        _picture(folder / part / "a.png")
        content = {
            "images": [{"id": 7, "file_name": "a.png"}],
            # Ids with gaps, out of order; numbers are by id.
            "categories": [{"id": 9, "name": "dog"}, {"id": 2, "name": "cat"}],
            "annotations": [
                {"id": 1, "image_id": 7, "category_id": 9, "bbox": [4, 2, 10, 8], "iscrowd": 0},
                {"id": 2, "image_id": 7, "category_id": 2, "bbox": [0, 0, 40, 20], "iscrowd": 1},
                {"id": 3, "image_id": 7, "category_id": 5, "bbox": [1, 1, 5, 5]},
                {"id": 4, "image_id": 8, "category_id": 2, "bbox": [1, 1, 5, 5]},
                {"id": 5, "image_id": 7, "category_id": 2, "bbox": [50, 1, 5, 5]},
                {"id": 6, "image_id": 7, "category_id": 2, "bbox": [1, 1, None, 5]},
            ],
            **changes,
        }
        (folder / "annotations" / f"instances_{part}.json").write_text(json.dumps(content))
    return folder / "annotations" / "instances_train.json"


def test_coco_annotations_become_boxes_and_crowds(tmp_path: Path) -> None:
    splits = _read(_coco(tmp_path))
    assert splits.classes == ("cat", "dog")
    for part in (splits.train, splits.validation):
        np.testing.assert_array_equal(part.targets[0].boxes, [[1, 4, 2, 14, 10]])
        np.testing.assert_array_equal(part.targets[0].crowds, [[0, 0, 0, 40, 20]])
    text = "\n".join(splits.warnings)
    for reason in ("unknown categories", "unknown pictures", "outside their", "without a box"):
        assert reason in text
    assert "annotation 4" in text


@pytest.mark.parametrize(
    ("stated", "warned"),
    [
        ({"height": 20, "width": 40}, False),
        ({"height": 20.0, "width": 40.0}, False),
        ({"width": 40}, False),
        ({"height": 0, "width": 0}, False),
        ({"height": 40, "width": 20}, True),  # as before it was turned
        ({"height": 40, "width": 80}, True),
    ],
)
def test_a_picture_that_was_resized_is_named(
    stated: dict[str, float], warned: bool, tmp_path: Path
) -> None:
    file = _coco(tmp_path, images=[{"id": 7, "file_name": "a.png", **stated}])
    said = [text for text in _read(file).warnings if "another size" in text]
    assert len(said) == warned
    assert all("a.png" in text for text in said)


@pytest.mark.parametrize("place", [".", "images", "train", "images/train", "../images/train"])
def test_cocos_pictures_are_found_near_their_annotations(tmp_path: Path, place: str) -> None:
    file = _coco(tmp_path)
    moved = file.parent / place / "a.png"
    moved.parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / "train" / "a.png").rename(moved)
    assert Path(_read(file).train.names[0]).samefile(moved)


def test_cocos_pictures_are_found_though_the_first_is_missing(tmp_path: Path) -> None:
    pictures = [{"id": 6, "file_name": "gone.png"}, {"id": 7, "file_name": "a.png"}]
    splits = _read(_coco(tmp_path, images=pictures))
    assert [Path(name).name for name in splits.train.names] == ["a.png"]
    assert splits.skipped[str(tmp_path / "train" / "gone.png")] == "no such file"
    assert len(splits.skipped) == 2  # one in each part


@pytest.mark.parametrize("name", ["val", "valid", "validation"])
def test_cocos_parts_may_be_folders_as_roboflow_lays_them_out(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    annotations = _coco(tmp_path / "from")
    for part in ("train", name, "test"):
        _picture(tmp_path / part / "a.png")
        shutil.copy(annotations, tmp_path / part / "_annotations.coco.json")
    file = tmp_path / "train" / "_annotations.coco.json"
    splits = _read(file)
    for samples, part in ((splits.validation, name), (splits.test, "test")):
        assert [Path(text).parent.name for text in samples.names] == [part]
    monkeypatch.chdir(tmp_path / "train")
    assert len(_read(Path(file.name)).validation) == 1
    assert not len(_read(tmp_path / "test" / file.name, validation=0.0).validation)


def test_a_data_yaml_may_name_coco_files(tmp_path: Path) -> None:
    _coco(tmp_path)
    file = tmp_path / "data.yaml"
    file.write_text(
        "train: annotations/instances_train.json\nval: annotations/instances_val.json\n"
    )
    assert box_count(_read(file).validation) == 1


def test_files_that_are_not_cocos_are_refused(tmp_path: Path) -> None:
    for number, changes in enumerate(({"images": 3}, {"categories": [{"id": 1}]})):
        with pytest.raises(DataError, match="not in COCO's format"):
            _read(_coco(tmp_path / str(number), **changes))
    same = [{"id": 2, "name": "cat"}, {"id": 9, "name": "cat"}]
    file = _coco(tmp_path / "same", categories=same)
    with pytest.raises(DataError, match="two categories"):
        _read(file)


def test_data_is_claimed_by_the_readers_of_the_models_task(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert isinstance(find_reader(TASK, "scenes.yaml", "yolov5n"), BoxesReader)
    assert isinstance(find_reader(TASK, "digit-scenes", "yolov5n"), ScenesReader)
    (tmp_path / "flowers").mkdir()
    with pytest.raises(RecipeError, match=r"^yolov5n \(object-detection\) learns from pictures"):
        find_reader(TASK, "flowers", "yolov5n")
    with pytest.raises(DataError, match=r"^none: expected a data\.yaml .*, found nothing"):
        find_reader(TASK, "none", "yolov5n")
    described = BoxesReader().describe(Path("scenes.yaml"))
    assert described == BoxesData("boxes", str(tmp_path / "scenes.yaml"))


def test_a_run_to_resume_is_looked_for_where_any_others_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs" / "scenes").mkdir(parents=True)
    (tmp_path / "runs" / "scenes" / "recipe.yaml").write_text("task: object-detection\n")
    assert folder_to_resume("yolov5s", None, "scenes.yaml") == Path("runs/scenes")
    with pytest.raises(DataError, match=r"no run to resume; looked in .*yolov5s and runs/others"):
        folder_to_resume("yolov5s", None, "others.yaml")
