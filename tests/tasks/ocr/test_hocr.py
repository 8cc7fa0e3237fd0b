"""hOCR: the form that PDF tools take."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as etree

import pytest
from PIL import Image

from zoohub.errors import DataError, UsageError
from zoohub.predicting.documents import check_document, check_new, known_documents, written_to
from zoohub.tasks.finding import find_task
from zoohub.tasks.ocr.hocr import Hocr
from zoohub.tasks.ocr.results import TextLine
from zoohub.tasks.results import AnyPrediction, Prediction

SPACE = {"x": "http://www.w3.org/1999/xhtml"}
LINE = TextLine("Tom & <Jerry>", 0.876, ((10, 20), (140, 20), (140, 40), (10, 40)))


def test_pages_lines_and_words_with_their_boxes(tmp_path: Path) -> None:
    page = tmp_path / "a page.png"
    Image.new("RGB", (300, 200)).save(page)
    results = [
        Prediction(str(page), (LINE,), size=(300, 200)),
        Prediction("scan.pdf#2", (LINE, LINE), size=(1654, 2339)),
        Prediction("scan.pdf#3", size=(1654, 2339)),
        Prediction("scan#4.png", error="damaged"),
    ]
    file = tmp_path / "out.hocr"
    with written_to(iter(results), known_documents()["hocr"], file) as taken:
        assert not file.exists()
        assert list(taken) == results
    pages = etree.parse(file).findall(".//x:div[@class='ocr_page']", SPACE)
    assert [page.get("title") for page in pages] == [
        f'image "{page}"; ppageno 0; bbox 0 0 300 200',
        'image "scan.pdf#2"; ppageno 1; bbox 0 0 1654 2339; scan_res 200 200',
        'image "scan.pdf#3"; ppageno 2; bbox 0 0 1654 2339; scan_res 200 200',
        'image "scan#4.png"; ppageno 3',
    ]
    (line,) = pages[0].findall("x:span", SPACE)
    assert line.get("title") == "bbox 10 20 140 40"
    words = line.findall("x:span[@class='ocrx_word']", SPACE)
    assert [(word.text, word.get("title")) for word in words] == [
        ("Tom", "bbox 10 20 40 40; x_wconf 88"),
        ("&", "bbox 50 20 60 40; x_wconf 88"),
        ("<Jerry>", "bbox 70 20 140 40; x_wconf 88"),
    ]
    names = [node.get("id") for node in etree.parse(file).iter() if node.get("id")]
    assert len(names) == len(set(names))


def test_nothing_is_written_where_the_results_end_in_an_error(tmp_path: Path) -> None:
    file = tmp_path / "out.hocr"

    def results() -> Iterator[AnyPrediction]:
        yield Prediction("a", (LINE,))
        raise RuntimeError

    with (
        pytest.raises(RuntimeError),
        written_to(results(), known_documents()["hocr"], file) as taken,
    ):
        list(taken)
    assert not [path for path in tmp_path.iterdir() if path.is_file()]


def test_a_task_without_such_files_refuses() -> None:
    with pytest.raises(UsageError, match="leave --hocr out"):
        check_document(find_task("image-classification"), "hocr")
    check_document(find_task("optical-character-recognition"), "hocr")


@pytest.mark.parametrize(
    ("turned", "first", "angle"),
    [
        (0, "bbox 0 0 20 40", None),
        (1, "bbox 0 0 100 8", "textangle 270"),
        (2, "bbox 80 0 100 40", "textangle 180"),
        (3, "bbox 0 32 100 40", "textangle 90"),
    ],
)
def test_words_are_cut_off_as_letters_run(turned: int, first: str, angle: str | None) -> None:
    line = TextLine("ab cdefghi", 0.9, ((0, 0), (100, 0), (100, 40), (0, 40)), turned)
    page = etree.fromstring(Hocr().add(1, Prediction("a.png", (line,))))
    (found,) = page.findall("span")
    assert (found.get("title") or "").partition("; ")[2] == (angle or "")
    assert (found[0].get("title") or "").startswith(first)


def test_names_that_xml_cannot_say_are_said_as_far_as_it_can() -> None:
    hostile = "esc\x1b[31m\x01'\"&<\udce9.png"
    line = TextLine("a\x00b\udc80", 0.9, ((0, 0), (9, 0), (9, 9), (0, 9)))
    page = etree.fromstring(Hocr().add(1, Prediction(hostile, (line,))).encode())
    assert page.get("title") == 'image "esc\ufffd[31m\ufffd\'&<\ufffd.png"; ppageno 0'
    assert page[0][0].text == "a\ufffdb\ufffd"


def test_what_lies_there_is_not_written_over(tmp_path: Path) -> None:
    file = tmp_path / "in.png"
    check_new(file)
    file.symlink_to(tmp_path / "nowhere")
    with pytest.raises(DataError, match="is there already"):
        check_new(file)
