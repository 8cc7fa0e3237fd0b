"""Folders and tables of pictures: their classes, their splits and what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from zoohub.errors import DataError
from zoohub.tasks.classification.digits import DigitsReader
from zoohub.tasks.classification.folder import FolderReader, read_folder
from zoohub.tasks.classification.recipe import DigitsData, FolderData, TableData
from zoohub.tasks.classification.splitting import sort_classes, split_off
from zoohub.tasks.classification.table import read_table
from zoohub.tasks.classification.task import TASK
from zoohub.tasks.finding import find_reader
from zoohub.tasks.samples import Splits


def picture(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 8), "red").save(path)
    return path


def folder(parent: Path, **counts: int) -> Path:
    root = parent / "photos"
    root.mkdir(exist_ok=True)
    for name, count in counts.items():
        for i in range(count):
            picture(root / name.replace("__", "/") / f"{i}.png")
    return root


def read(root: Path, validation: float = 0.2) -> Splits[int]:
    return read_folder(FolderData("folder", str(root), validation))


def test_a_split_takes_its_share_of_every_class_and_is_the_same_each_time(tmp_path: Path) -> None:
    root = folder(tmp_path, cat=10, dog=20)
    one, two = read(root), read(root)
    assert np.bincount(one.train.targets).tolist() == [8, 16]
    assert np.bincount(one.validation.targets).tolist() == [2, 4]
    assert list(one.validation.names) == list(two.validation.names)
    assert not set(one.train.names) & set(one.validation.names)


def test_a_class_of_one_picture_is_trained_on_and_mentioned(tmp_path: Path) -> None:
    splits = read(folder(tmp_path, cat=10, dog=1))
    assert np.bincount(splits.train.targets).tolist() == [8, 1]
    assert np.bincount(splits.validation.targets, minlength=2).tolist() == [2, 0]
    assert splits.warnings == ("only one picture each, so none to validate on: dog",)


@pytest.mark.parametrize("name", ["val", "validation", "valid"])
def test_train_and_validation_folders_are_taken_as_they_are(tmp_path: Path, name: str) -> None:
    counts = {"train__cat": 3, "train__dog": 3, f"{name}__dog": 2, f"{name}__cow": 1}
    splits = read(folder(tmp_path, **counts))
    assert splits.classes == ("cat", "dog")
    assert len(splits.train) == 6
    assert splits.validation.targets == [1, 1]
    assert splits.warnings == (f"{name}: classes without training pictures: cow",)


@pytest.mark.parametrize(
    ("train", "validation"), [("Train", "Val"), ("training", "validation"), ("TRAIN", "Valid")]
)
def test_parts_are_told_whatever_their_case(tmp_path: Path, train: str, validation: str) -> None:
    names = {f"{train}__cat": 3, f"{train}__dog": 3, f"{validation}__dog": 2, "Testing__cat": 1}
    splits = read(folder(tmp_path, **names))
    assert splits.classes == ("cat", "dog")
    assert [len(splits.train), len(splits.validation), len(splits.test)] == [6, 2, 1]
    assert splits.warnings == ()


def test_a_class_may_have_the_name_of_a_part(tmp_path: Path) -> None:
    splits = read(folder(tmp_path, train=3, bus=3))
    assert splits.classes == ("bus", "train")
    folder(tmp_path / "photos", **{"training__monday": 2, "match__sunday": 2})
    assert read(tmp_path / "photos" / "photos").classes == ("match", "training")


def test_what_is_no_part_beside_parts_is_mentioned(tmp_path: Path) -> None:
    splits = read(folder(tmp_path, train__cat=5, train__dog=5, test=3))
    assert [len(splits.train), len(splits.validation), len(splits.test)] == [8, 2, 0]
    assert splits.warnings == (
        "beside train/, and no part with a folder a class, so left out: test",
    )


def test_two_folders_for_one_part_are_refused(tmp_path: Path) -> None:
    root = folder(tmp_path, train__cat=1, train__dog=1, val__cat=1, valid__dog=1)
    with pytest.raises(DataError, match="'val' and 'valid' name the same part"):
        read(root)
    empty = folder(root, train__cat=1, train__dog=1, valid__dog=2)
    (empty / "val").mkdir()
    assert len(read(empty).validation) == 2


def test_parts_of_pictures_alone_are_no_classes(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="Train: expected a folder a class, found none"):
        read(folder(tmp_path, Train=3, Val=3))


def test_to_evaluate_the_classes_are_those_of_all_parts(tmp_path: Path) -> None:
    root = folder(tmp_path, train__cat=3, train__dog=3, val__cow=1)
    splits = FolderReader().read(FolderData("folder", str(root)), measuring=True)
    assert splits.classes == ("cat", "cow", "dog")
    assert splits.validation.targets == [1]
    assert splits.warnings == ()


def test_one_class_is_enough_to_evaluate(tmp_path: Path) -> None:
    root = folder(tmp_path, cat=3)
    splits = FolderReader().read(FolderData("folder", str(root)), measuring=True)
    assert (splits.classes, len(splits.train)) == (("cat",), 3)
    splits = table(tmp_path, "path,label,split\na.png,x,test\nb.png,y,test\n", evaluating=True)
    assert (splits.classes, splits.test.targets) == (("x", "y"), [0, 1])
    splits = table(tmp_path, "path,label,split\na.png,x,train\nb.png,y,val\n", evaluating=True)
    assert (splits.classes, splits.validation.targets) == (("x", "y"), [1])
    with pytest.raises(DataError, match=r"in any row; 1 picture was .*z\.png: no such"):
        table(tmp_path, "path,label\nz.png,x\n", evaluating=True)


def test_two_classes_with_one_name_in_different_case_are_refused(tmp_path: Path) -> None:
    root = folder(tmp_path, Cat=2)
    if (root / "cat").exists():
        pytest.skip("this file system does not tell them apart")
    folder(tmp_path, cat=2)
    with pytest.raises(DataError, match="one name in different case: 'Cat' and 'cat'"):
        read(root)


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ({}, "expected a folder a class, found none"),
        ({"cat": 3}, "at least two classes .* are needed to train, found only 'cat'"),
        ({"2": 3}, "found only '2'"),
    ],
)
def test_a_folder_that_cannot_be_learnt_from_says_why(
    tmp_path: Path, counts: dict[str, int], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        read(folder(tmp_path, **counts))


def test_numbered_classes_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    root = folder(tmp_path, **{"10": 2, "9": 2, "1": 2})
    assert read(root).classes == ("1", "9", "10")


def test_only_what_int_reads_is_a_number() -> None:
    assert sort_classes(["³", "²", "10", "9"]) == ("10", "9", "²", "³")
    assert sort_classes(["--1", "2"]) == ("--1", "2")
    assert sort_classes(["-1", "-10", "01", "1"]) == ("-10", "-1", "01", "1")


def test_a_cut_jpeg_is_found_before_training(tmp_path: Path) -> None:
    root = folder(tmp_path, cat=3, dog=3)
    file = root / "cat" / "cut.jpg"
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    Image.fromarray(noise).save(file)
    file.write_bytes(file.read_bytes()[:-400])
    splits = read(root)
    assert list(splits.skipped) == ["cat/cut.jpg"]
    assert "truncated" in splits.skipped["cat/cut.jpg"]


def table(root: Path, text: str, suffix: str = ".csv", *, evaluating: bool = False) -> Splits[int]:
    for name in "abcdef":
        picture(root / f"{name}.png")
    file = root / f"labels{suffix}"
    file.write_text(text)
    return read_table(TableData("table", str(file), 0.5), evaluating=evaluating)


def test_a_csv_with_splits_is_taken_at_its_word(tmp_path: Path) -> None:
    splits = table(
        tmp_path,
        "path,label,split\na.png,cat,train\nb.png,dog,train\nc.png,dog,val\nd.png,cow,val\n"
        "e.png,cat,test\n",
    )
    assert splits.classes == ("cat", "dog")
    assert [len(splits.train), len(splits.validation), len(splits.test)] == [2, 1, 1]
    assert splits.warnings == ("labels without training pictures: cow",)


def test_column_names_are_read_whatever_their_case(tmp_path: Path) -> None:
    splits = table(tmp_path, "Path, Label,SPLIT\na.png,x,Train\nb.png,y,train\nc.png,x,VAL\n")
    assert [len(splits.train), len(splits.validation)] == [2, 1]
    with pytest.raises(DataError, match=r"jsonl:1: 'label' is missing; found 'path', 'class'"):
        table(tmp_path, '{"path": "a.png", "class": 1}', ".jsonl")


def test_rows_of_one_picture_are_counted_and_the_first_named(tmp_path: Path) -> None:
    splits = table(
        tmp_path,
        "path,label,split\na.png,x,train\nb.png,y,train\na.png,x,train\n./b.png,y,val\na.png,x,val\n",
    )
    assert splits.warnings == (
        "rows that repeat another's picture: 1 (first line 4: a.png, as line 2)",
        "rows that repeat a picture of another split: 2 (first line 5: ./b.png, as line 3); "
        "what is measured on pictures trained on says little",
    )


def test_json_lines_without_splits_are_split(tmp_path: Path) -> None:
    rows = [f'{{"path": "{name}.png", "label": {i % 2}}}' for i, name in enumerate("abcd")]
    splits = table(tmp_path, "\n".join(rows), ".jsonl")
    assert splits.classes == ("0", "1")
    assert [len(splits.train), len(splits.validation)] == [2, 2]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("path,label\na.png,\n", r"labels\.csv:2: 'label' is missing"),
        ("", "found nothing"),
        ("file,label\na.png,x\n", r"labels\.csv:1: expected .* found 'file', 'label'"),
        ("a.png,x\nb.png,y\n", r"found 'a\.png', 'x'; the first line must name the columns"),
        ("path;label\na.png;x\n", "found 'path;label'; commas must part them"),
        ("path,label,split\na.png,x,train\nb.png,y,\n", r"labels\.csv:3: no split, though other"),
        ("path,label\na.png,x\n./a.png,y\n", r"csv:3: '\./a\.png' is 'y' here and 'x' on line 2"),
        ("path,label,split\na.png,x,test\nb.png,y,test\n", "rows of split train: .* found none"),
        ("path,label,split\na.png,x,later\nb.png,y,train\n", "split 'later' is not train"),
        ("path,label\na.png,x\nb.png,x\n", "at least two classes"),
        (
            "path,label\na.png,x\ny.png,y\nz.png,y\n",
            r"found only 'x'; 2 pictures were left out \(first: y\.png: no such file\)",
        ),
    ],
)
def test_a_table_with_a_mistake_names_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        table(tmp_path, text)


def test_missing_files_of_a_table_are_skipped_and_named(tmp_path: Path) -> None:
    splits = table(tmp_path, "path,label\na.png,x\nb.png,y\nz.png,y\nc.png,y\n")
    assert splits.skipped == {"z.png": "no such file"}


def test_data_is_told_by_what_it_is(tmp_path: Path) -> None:
    assert isinstance(find_reader(TASK, tmp_path, "lenet5"), FolderReader)
    digits = find_reader(TASK, "digits", "lenet5")
    assert isinstance(digits, DigitsReader)
    assert digits.describe(Path("digits")) == DigitsData("digits")
    with pytest.raises(DataError, match=r"expected a folder of pictures .*, found nothing"):
        find_reader(TASK, tmp_path / "none.csv", "lenet5")
    (tmp_path / "words.odt").touch()
    with pytest.raises(DataError, match=r"found a file of another kind"):
        find_reader(TASK, tmp_path / "words.odt", "lenet5")


def test_no_share_means_no_validation() -> None:
    train, validation = split_off(np.array([0, 0, 1]), 0.0, 0)
    assert (len(train), len(validation)) == (3, 0)
