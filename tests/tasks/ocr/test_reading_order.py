"""Lines are made of pieces, and pages are read in order, however they lie."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from zoohub.outputs.text_pieces import TextPiece, TextPieces
from zoohub.tasks.contract import Row
from zoohub.tasks.ocr.lines import joined
from zoohub.tasks.ocr.reading_order import reading_order
from zoohub.tasks.ocr.task import TASK, OcrOptions
from zoohub.tasks.ocr.upright import upright_page

WIDTH, HEIGHT = 1000, 1400


def piece(text: str, left: float, top: float, width: float, height: float = 20) -> TextPiece:
    right, bottom = left + width, top + height
    corners = np.array([(left, top), (right, top), (right, bottom), (left, bottom)], float)
    return TextPiece(corners, text, 0.9)


def turned(pieces: Sequence[TextPiece], angle: float, quarters: int = 0) -> list[TextPiece]:
    """The page turned clockwise about its middle."""
    cos, sin = np.cos(angle), np.sin(angle)
    middle = np.array([WIDTH, HEIGHT]) / 2
    matrix = np.array([[cos, sin], [-sin, cos]])
    return [
        TextPiece((p.polygon - middle) @ matrix + middle, p.text, p.score, quarters) for p in pieces
    ]


def read(pieces: Sequence[TextPiece]) -> list[str]:
    rows = [Row({})]
    (lines,) = TASK.interpret(TextPieces((tuple(pieces),)), rows, None, OcrOptions())
    return [line.text for line in lines]


ARTICLE = [
    piece("title", 100, 50, 800, 40),
    piece("a1", 100, 120, 380), piece("b1", 520, 120, 380),
    piece("a2", 100, 150, 380), piece("b2", 520, 150, 380),
    piece("a3", 100, 180, 200), piece("b3", 520, 180, 380),
    piece("between", 100, 230, 800, 30),
    piece("c1", 100, 280, 380), piece("d1", 520, 282, 380),
    piece("c2", 100, 310, 380), piece("d2", 520, 312, 150),
    piece("foot", 450, 400, 100),
]  # fmt: skip
IN_ORDER = ["title", "a1", "a2", "a3", "b1", "b2", "b3", "between", "c1", "c2", "d1", "d2", "foot"]


def test_columns_are_read_one_after_the_other_and_what_spans_them_parts_them() -> None:
    assert read(ARTICLE) == IN_ORDER
    shuffled = [ARTICLE[i] for i in np.random.default_rng(1).permutation(len(ARTICLE))]
    assert read(shuffled) == IN_ORDER


@pytest.mark.parametrize("degrees", [-20, -3, 4, 15])
def test_a_skew_page_is_read_as_a_straight_one(degrees: float) -> None:
    assert read(turned(ARTICLE, np.radians(degrees))) == IN_ORDER


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_page_that_lies_or_stands_on_its_head_is_read_as_its_letters_stand(quarters: int) -> None:
    assert read(turned(ARTICLE, quarters * np.pi / 2, quarters)) == IN_ORDER
    assert read(turned(ARTICLE, quarters * np.pi / 2 + 0.05, quarters)) == IN_ORDER


def test_words_beside_each_other_are_a_line_and_a_gutter_parts_them() -> None:
    words = [piece("world", 160, 10, 50), piece("hello", 100, 12, 50), piece("far", 240, 10, 50)]
    assert read(words) == ["hello world", "far"]
    high = [piece("big", 100, 10, 60, 60), piece("small", 165, 30, 50, 20)]
    assert read(high) == ["big", "small"]
    assert read([piece("上海", 100, 10, 50), piece("市", 152, 10, 25)]) == ["上海市"]
    assert read([piece("一", 10, 10, 20), piece("two", 32, 10, 40), piece("3", 74, 10, 9)]) == [
        "一two 3"
    ]


def test_a_joined_line_has_the_rectangle_around_its_pieces_and_their_mean_score() -> None:
    pieces = [piece("ab", 0, 10, 20), piece("cdef", 25, 8, 40)]
    upright = upright_page(pieces)
    (line,) = joined(pieces, upright)
    assert line.polygon(upright).round().tolist() == [[0, 8], [65, 8], [65, 30], [0, 30]]
    low = TextPiece(pieces[1].polygon, "cdef", 0.3)
    (line,) = joined([pieces[0], low], upright)
    assert line.score == pytest.approx((2 * 0.9 + 4 * 0.3) / 6)


def test_what_reads_poorly_is_left_out_before_lines_are_made() -> None:
    low = TextPiece(piece("x", 155, 10, 10).polygon, "x", 0.4)
    pieces = [piece("hello", 100, 10, 50), low, piece("you", 170, 10, 30)]
    assert read(pieces) == ["hello you"]
    form = TextPieces((tuple(pieces),))
    (all_,) = TASK.interpret(form, [Row({})], None, OcrOptions(threshold=0.0))
    assert [line.text for line in all_] == ["hello x you"]
    assert read([]) == []
    assert TASK.lines([]) == ["no text found"]


def test_lines_all_over_a_page_come_once_each_even_where_the_rules_go_in_circles() -> None:
    boxes = np.random.default_rng(2).uniform(0, 1000, (300, 2))
    sizes = np.random.default_rng(3).uniform(5, 300, (300, 2))
    order = reading_order([*np.hstack([boxes, boxes + sizes])])
    assert sorted(order) == [*range(300)]
    assert reading_order([]) == []


def test_outlines_with_many_corners_keep_them() -> None:
    curve = np.array([(0, 0), (50, -10), (100, 0), (100, 20), (50, 10), (0, 20)], float)
    (line,) = TASK.interpret(
        TextPieces(((TextPiece(curve, "round", 0.9),),)), [Row({})], None, OcrOptions()
    )[0]
    assert line.polygon == tuple(map(tuple, curve.tolist()))
    assert line.to_json() == {"text": "round", "score": 0.9, "polygon": curve.tolist()}
