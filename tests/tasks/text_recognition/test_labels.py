"""Label files of word pictures, as MindOCR, PaddleOCR and ICDAR have them."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

import zoohub
from zoohub.errors import DataError, UsageError
from zoohub.tasks.text_recognition.labels import LinesReader, parse_label
from zoohub.tasks.text_recognition.recipe import LinesData

READER = LinesReader()


def pictures(folder: Path, *names: str) -> None:
    for name in names:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (20, 10)).save(file)


@pytest.mark.parametrize(
    ("line", "name", "text"),
    [
        ("a.png\tHello there", "a.png", "Hello there"),
        ("train/word_1.jpg cat", "train/word_1.jpg", "cat"),
        ('word_1.png, "Genaxis Theatre"', "word_1.png", "Genaxis Theatre"),
        (r'word_2.png, "say \"hi\", Bob"', "word_2.png", 'say "hi", Bob'),
        ("word_3.png,[06]", "word_3.png", "[06]"),
        ("a b.jpg\t1, 2", "a b.jpg", "1, 2"),
        ("图.png\t招牌", "图.png", "招牌"),
    ],
)
def test_lines_in_every_form(line: str, name: str, text: str) -> None:
    assert parse_label(line) == (name, text)


def test_a_line_that_is_none_says_what_was_expected() -> None:
    with pytest.raises(DataError, match="expected a picture's name, a tab and its text"):
        parse_label("just words")


def test_a_folder_with_its_file(tmp_path: Path) -> None:
    pictures(tmp_path, "a.png", "b.png", "c.png")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    labels = "a.png\tab\nb.png\tba\nc.png\t\nbroken.png\tx\ngone.png\ty\n"
    (tmp_path / "gt.txt").write_text(labels)
    assert READER.claims(tmp_path)
    assert READER.claims(tmp_path / "gt.txt")
    splits = READER.read(READER.describe(tmp_path), measuring=True)
    assert [word.text for word in splits.train.targets] == ["ab", "ba"]
    assert splits.classes == ()
    reasons = " ".join(splits.skipped.values())
    assert len(splits.skipped) == 3
    assert "c.png has no text" in reasons
    assert "no such file" in reasons


def test_parts_are_in_the_names_of_files_or_folders(tmp_path: Path) -> None:
    pictures(tmp_path / "one", "train/a.png", "test/b.png")
    (tmp_path / "one" / "rec_gt_train.txt").write_text("train/a.png\tab\n")
    (tmp_path / "one" / "rec_gt_test.txt").write_text("test/b.png\tcd\n")
    pictures(tmp_path / "two", "train/a.png", "val/b.png")
    (tmp_path / "two" / "train" / "gt.txt").write_text("a.png ab\n")
    (tmp_path / "two" / "val" / "gt.txt").write_text("b.png cd\n")
    for name, part in (("one", "test"), ("two", "validation")):
        assert READER.claims(tmp_path / name)
        splits = READER.read(READER.describe(tmp_path / name))
        assert [word.text for word in splits.train.targets] == ["ab"]
        assert [word.text for word in getattr(splits, part).targets] == ["cd"]
        assert splits.classes == ("a", "b")


def test_what_is_no_label_file_is_not_claimed(tmp_path: Path) -> None:
    (tmp_path / "gt.txt").write_text('img_1.jpg\t[{"transcription": "a", "points": []}]\n')
    assert not READER.claims(tmp_path)  # MindOCR's labels of text detection
    (tmp_path / "corpus.txt").write_text("Once upon a time\n")
    assert not READER.claims(tmp_path / "corpus.txt")
    assert not READER.claims(tmp_path / "nowhere")


def test_a_dictionary_names_the_classes(tmp_path: Path) -> None:
    pictures(tmp_path, "a.png")
    (tmp_path / "gt.txt").write_text("a.png\tab\n")
    (tmp_path / "dict.txt").write_text("b\na\nc\n")
    data = LinesData("lines", str(tmp_path), vocab=str(tmp_path / "dict.txt"))
    assert READER.read(data).classes == ("b", "a", "c")


def test_nothing_to_use_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "gt.txt").write_text("gone.png\tab\n")
    with pytest.raises(DataError, match="no picture with its text can be used: no such file"):
        READER.read(READER.describe(tmp_path))


def test_a_dictionary_is_named_where_a_network_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZOOHUB_OFFLINE", "1")  # the data is read before weights are fetched
    pictures(tmp_path, "a.png")
    (tmp_path / "gt.txt").write_text("a.png\tab\n")
    missing = f"data.vocab={tmp_path / 'missing.txt'}"
    with pytest.raises(DataError, match=r"missing.txt cannot be read"):
        zoohub.evaluate("crnn_resnet34", tmp_path, assignments=[missing])
    with pytest.raises(UsageError, match=r"lr=1: what is measured follows from data\."):
        zoohub.evaluate("crnn_resnet34", tmp_path, assignments=["lr=1"])
