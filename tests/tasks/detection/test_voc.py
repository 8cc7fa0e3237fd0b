"""Pascal VOC's folders: boxes of XML, parts of lists; what is wrong is counted and named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from zoohub.errors import DataError
from zoohub.tasks.detection.readers import BoxesReader, read_boxes
from zoohub.tasks.detection.recipe import BoxesData
from zoohub.tasks.detection.samples import Objects
from zoohub.tasks.detection.task import TASK
from zoohub.tasks.finding import find_reader
from zoohub.tasks.samples import Splits

CAT = "<object><name>cat</name>{}<bndbox><xmin>5</xmin><ymin>3</ymin><xmax>20</xmax>" \
      "<ymax>12</ymax></bndbox></object>"  # fmt: skip
DOG = CAT.replace("cat", "dog")


def _voc(folder: Path, objects: dict[str, str], filename: str = "{}.jpg", head: str = "") -> Path:
    for name in ("Annotations", "JPEGImages"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for stem, inside in objects.items():
        Image.new("RGB", (40, 20), (90, 120, 30)).save(folder / "JPEGImages" / f"{stem}.jpg")
        text = (
            f"{head}<annotation><filename>{filename.format(stem)}</filename>{inside}</annotation>"
        )
        (folder / "Annotations" / f"{stem}.xml").write_text(text, encoding="utf-8")
    return folder


def _read(folder: Path, **more: float) -> Splits[Objects]:
    return read_boxes(BoxesData("boxes", str(folder), **more), training=False)  # type: ignore[arg-type]


def _list(folder: Path, part: str, text: str) -> None:
    file = folder / "ImageSets" / "Main" / f"{part}.txt"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def test_annotations_become_boxes_counted_from_nought(tmp_path: Path) -> None:
    folder = _voc(tmp_path, {"a": CAT.format("") + DOG.format("<difficult>1</difficult>"), "b": ""})
    assert isinstance(find_reader(TASK, folder, "yolov5n"), BoxesReader)
    splits = _read(folder, validation=0.0)
    assert splits.classes == ("cat", "dog")
    # VOC's first pixel is 1, and its last belongs to the box.
    np.testing.assert_array_equal(splits.train.targets[0].boxes, [[0, 4, 2, 20, 12]])
    np.testing.assert_array_equal(splits.train.targets[0].crowds, [[1, 4, 2, 20, 12]])
    assert not len(splits.train.targets[1].boxes)
    assert (splits.warnings, splits.skipped) == ((), {})


def test_lists_say_the_parts(tmp_path: Path) -> None:
    folder = _voc(tmp_path, {name: CAT.format("") for name in ("a", "b", "c 1", "d", "e")})
    _list(folder, "train", "\ufeffa\r\nb  1\r\nb -1\r\ngone\r\n")
    _list(folder, "val", "c 1\nd.jpg\n\n")
    splits = _read(folder)
    names = [[Path(name).stem for name in part.names] for part in
             (splits.train, splits.validation, splits.test)]  # fmt: skip
    assert names == [["a", "b"], ["c 1", "d"], []]
    assert splits.skipped == {
        f"{folder / 'ImageSets/Main/train.txt'}: gone": "no annotation with a picture"
    }


@pytest.mark.parametrize("part", ["trainval", "train"])
def test_without_a_list_for_validation_some_are_split_off(tmp_path: Path, part: str) -> None:
    folder = _voc(tmp_path, {name: CAT.format("") for name in "abcde"})
    _list(folder, part, "a\nb\nc\nd\n")
    splits = _read(folder, validation=0.25)
    assert (len(splits.train), len(splits.validation)) == (3, 1)


@pytest.mark.parametrize(
    "filename", ["{}", "{}.png", "C:\\work\\{}.jpg", "sub/{}.jpg", "", "x" * 5000, "../{}.jpg"]
)
def test_pictures_are_found_though_tools_write_other_names(tmp_path: Path, filename: str) -> None:
    folder = _voc(tmp_path, {"a": CAT.format("")}, filename)
    splits = _read(folder, validation=0.0)
    assert splits.train.names == [str(folder / "JPEGImages" / "a.jpg")]


def test_classes_may_be_listed_and_numbers_come_in_their_order(tmp_path: Path) -> None:
    folder = _voc(tmp_path, {str(n): CAT.format("").replace("cat", str(n)) for n in (10, 9, 2)})
    assert _read(folder).classes == ("2", "9", "10")
    (folder / "classes.txt").write_bytes(b"\xef\xbb\xbf10\r\n9\r\n2\r\n1\r\n")
    assert _read(folder).classes == ("10", "9", "2", "1")
    (folder / "classes.txt").write_text("10\n")
    with pytest.raises(DataError, match=r"classes\.txt lacks 2, 9, which annotations name"):
        _read(folder)


def test_what_has_no_counterpart_is_named(tmp_path: Path) -> None:
    folder = _voc(tmp_path, {name: CAT.format("") for name in "abc"})
    (folder / "JPEGImages" / "a.jpg").unlink()
    (folder / "Annotations" / "b.xml").unlink()
    skipped = _read(folder, validation=0.0).skipped
    assert skipped == {
        str(folder / "Annotations/a.xml"): f"no picture a.jpg in {folder / 'JPEGImages'}",
        str(folder / "JPEGImages/b.jpg"): f"no annotation {folder / 'Annotations/b.xml'}",
    }


def test_objects_that_are_none_are_counted(tmp_path: Path) -> None:
    wrong = [CAT.format("").replace(">5<", f">{text}<") for text in ("", "x", "nan", "1e999")]
    wrong += ["<object><name>cat</name></object>", CAT.format("").replace("cat", " ")]
    splits = _read(_voc(tmp_path, {"a": "".join(wrong) + CAT.format("")}), validation=0.0)
    assert len(splits.train.targets[0].boxes) == 1
    (warning,) = splits.warnings
    assert warning.startswith("6 lines that are no label were left out (first: ")
    assert warning.endswith("a.xml: object 1)")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("<annotation>\n<object>\n</annotation>", "a.xml:3: not valid XML"),
        ("", "not valid XML"),
        ("<html></html>", "not VOC's: <html>"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><annotation>&b;</annotation>', "a DTD or entities"),
        ('<!DOCTYPE a SYSTEM "file:///etc/passwd"><annotation/>', "a DTD or entities"),
        ("<annotation>&b;</annotation>", "not valid XML: undefined entity"),
        ("<annotation>\n\0</annotation>", "2: not valid XML: a NUL"),
        ("<a>" * 100_000, "not valid XML"),
    ],
)
def test_annotations_that_are_none_are_left_out_and_named(
    tmp_path: Path, text: str, reason: str
) -> None:
    folder = _voc(tmp_path, {"a": "", "b": CAT.format("")})
    (folder / "Annotations" / "a.xml").write_text(text)
    found = _read(folder, validation=0.0)
    assert len(found.train) == 1
    assert reason in found.skipped[str(folder / "Annotations/a.xml")].replace(str(folder), "")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "gb2312", "GB18030", "euc-jp"])
def test_annotations_are_read_however_they_were_saved(tmp_path: Path, encoding: str) -> None:
    folder = _voc(tmp_path, {"a": ""})
    head = f'<?xml version="1.0" encoding="{encoding}"?>\r\n'
    text = f"{head}<annotation>{CAT.format('').replace('cat', '小犬')}</annotation>"
    (folder / "Annotations" / "a.xml").write_bytes(text.encode(encoding))
    assert _read(folder).classes == ("小犬",)


def test_a_folder_without_a_usable_annotation_is_refused(tmp_path: Path) -> None:
    folder = _voc(tmp_path, {"a": ""})
    (folder / "Annotations" / "a.xml").write_text("no")
    with pytest.raises(DataError, match=r"no annotation with a picture: .*not valid XML"):
        _read(folder)
