"""hOCR: the form that PDF tools take."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as etree

import pytest
from PIL import Image

from zoohub.errors import UsageError
from zoohub.predicting.documents import check_document, known_documents, written_to
from zoohub.tasks.finding import find_task
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
