"""ICDAR 2015's files of labels and MindOCR's are read, in the layouts that they come in."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from zoohub.errors import DataError
from zoohub.tasks.samples import Splits
from zoohub.tasks.text_detection.label_files import read_label_file
from zoohub.tasks.text_detection.readers import TextsReader, part_of
from zoohub.tasks.text_detection.samples import Texts

QUAD = "377,117,463,117,465,130,378,130"


def picture(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (40, 30)).save(path)


def labels(path: Path, *lines: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\ufeff" + "\r\n".join(lines) + "\r\n", encoding="utf-8")


def read(source: Path, measuring: bool = False) -> Splits[Texts]:
    reader = TextsReader()
    assert reader.claims(source)
    return reader.read(reader.describe(source), measuring=measuring)


def names(splits: Splits[Texts]) -> list[list[str]]:
    return [
        [Path(name).name for name in part.names]
        for part in (splits.train, splits.validation, splits.test)
    ]


def test_a_file_of_labels(tmp_path: Path) -> None:
    file = tmp_path / "gt_img_1.txt"
    labels(file, f"{QUAD},Genaxis, Theatre", "", f"{QUAD},###", "10,20,110,40,box", f"{QUAD},*",
           "0,0,10,0,10,5,5,9,0,5,####curved")  # fmt: skip
    texts = read_label_file(file)
    assert texts.counts.tolist() == [4, 4, 4, 4, 5]
    assert texts.ignored.tolist() == [False, True, False, True, False]
    assert texts.polygons[0].tolist() == [[377, 117], [463, 117], [465, 130], [378, 130]]
    assert texts.polygons[2].tolist() == [[10, 20], [110, 20], [110, 40], [10, 40]]


def test_digits_in_a_text_are_no_corners(tmp_path: Path) -> None:
    file = tmp_path / "gt_1.txt"
    labels(file, f"{QUAD},5,000")
    assert read_label_file(file).counts.tolist() == [4]


def test_hashes_within_a_text_are_part_of_it(tmp_path: Path) -> None:
    file = tmp_path / "gt_1.txt"
    labels(file, f"{QUAD},a####b", f"{QUAD},no,####", "10,20,110,40,no. ####",
           "0,0,10,0,10,5,5,9,0,5, ####a####b", f"{QUAD},####")  # fmt: skip
    texts = read_label_file(file)
    assert texts.counts.tolist() == [4, 4, 4, 5, 4]
    assert not texts.ignored.any()


@pytest.mark.parametrize("line", ["1,2,3", "a,b,c,d", "nan,1,2,3,4,5,6,7,x", "1,2,####x", "###"])
def test_a_line_that_is_none_is_named(tmp_path: Path, line: str) -> None:
    file = tmp_path / "gt_1.txt"
    labels(file, f"{QUAD},fine", line)
    with pytest.raises(DataError, match=r"gt_1\.txt, line 2: expected x1,y1"):
        read_label_file(file)


def test_icdars_own_folders(tmp_path: Path) -> None:
    for number in (1, 2, 3, 4, 5):
        picture(tmp_path / "ch4_training_images" / f"img_{number}.jpg")
        place = tmp_path / "ch4_training_localization_transcription_gt"
        labels(place / f"gt_img_{number}.txt", f"{QUAD},train{number}")
    picture(tmp_path / "ch4_test_images" / "img_1.jpg")
    labels(tmp_path / "Challenge4_Test_Task1_GT" / "gt_img_1.txt", f"{QUAD},one", f"{QUAD},two")
    splits = read(tmp_path)
    assert [len(part) for part in names(splits)] == [4, 1, 1]
    assert len(splits.test.targets[0]) == 2
    whole = read(tmp_path, measuring=True)
    assert [len(part) for part in names(whole)] == [5, 0, 1]


def test_labels_beside_the_pictures(tmp_path: Path) -> None:
    for number in range(5):
        picture(tmp_path / f"{number}.png")
        labels(tmp_path / f"{number}.txt", f"{QUAD},word")
    picture(tmp_path / "lonely.png")
    labels(tmp_path / "gt_bad.txt", "no corners")
    picture(tmp_path / "bad.png")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    labels(tmp_path / "broken.txt", f"{QUAD},word")
    splits = read(tmp_path)
    assert [len(part) for part in names(splits)] == [4, 1, 0]
    why = {Path(name).name: reason for name, reason in splits.skipped.items()}
    assert sorted(why) == ["bad.png", "broken.png", "lonely.png"]
    assert "no file of labels" in why["lonely.png"]
    assert "gt_bad.txt, line 1" in why["bad.png"]


def table(path: Path, rows: dict[str, object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [
        f"{name}\t{row if isinstance(row, str) else json.dumps(row)}" for name, row in rows.items()
    ]
    path.write_text("\n".join(lines) + "\n")


def row(*texts: str) -> list[dict[str, object]]:
    points = [[0, 0], [20, 0], [20, 9], [0, 9]]
    return [{"transcription": text, "points": points} for text in texts]


def test_mindocrs_tables(tmp_path: Path) -> None:
    for number in range(5):
        picture(tmp_path / "train" / "images" / f"img_{number}.jpg")
    picture(tmp_path / "test" / "img_0.jpg")
    rows: dict[str, object] = {f"img_{number}.jpg": row("word", "###") for number in range(5)}
    rows |= {"gone.jpg": row("word"), "odd.jpg": "[{'no': json}]", "bad.jpg": [{"points": [[1]]}]}
    table(tmp_path / "train" / "det_gt.txt", rows)
    table(tmp_path / "test" / "det_gt.txt", {"img_0.jpg": row("here")})
    splits = read(tmp_path)
    assert [len(part) for part in names(splits)] == [4, 1, 1]
    assert splits.train.targets[0].ignored.tolist() == [False, True]
    assert sorted(splits.skipped) == ["bad.jpg", "gone.jpg", "odd.jpg"]
    one = read(tmp_path / "train" / "det_gt.txt", measuring=True)
    assert [len(part) for part in names(one)] == [5, 0, 0]


def test_what_is_no_such_data_is_not_claimed(tmp_path: Path) -> None:
    reader = TextsReader()
    assert not reader.claims(tmp_path / "nothing")
    assert not reader.claims(tmp_path)
    picture(tmp_path / "a.png")
    (tmp_path / "notes.txt").write_text("notes\n")
    assert not reader.claims(tmp_path)
    assert not reader.claims(tmp_path / "notes.txt")
    labels(tmp_path / "a.txt", f"{QUAD},###")
    with pytest.raises(DataError, match="no text is left to train on"):
        read(tmp_path)


def test_parts_are_told_by_words() -> None:
    assert part_of(Path("ch4_training_images/img_1.jpg")) == "train"
    assert part_of(Path("Challenge4_Test_Task1_GT/gt_img_1.txt")) == "test"
    assert part_of(Path("val/contest.jpg")) == "validation"
    assert part_of(Path("contest/img.jpg")) == "train"
