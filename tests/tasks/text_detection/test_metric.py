"""Precision and recall by ICDAR 2015's rule, on cases worked out by hand."""

from __future__ import annotations

import pytest

from zoohub.errors import DataError
from zoohub.tasks.text_detection.interpret import TextArea
from zoohub.tasks.text_detection.metric import TextDetection
from zoohub.tasks.text_detection.samples import Texts, texts_of

pytest.importorskip("cv2")
pytest.importorskip("shapely")


def box(x1: float, y1: float, x2: float, y2: float) -> tuple[tuple[float, float], ...]:
    return ((x1, y1), (x2, y1), (x2, y2), (x1, y2))


def found(*boxes: tuple[tuple[float, float], ...]) -> list[TextArea]:
    return [TextArea(each, 0.9) for each in boxes]


def there(*boxes: tuple[tuple[float, float], ...], ignored: int = 0) -> Texts:
    """The last `ignored` of them do not count."""
    count = len(boxes)
    return texts_of(boxes, [place >= count - ignored for place in range(count)])


def figures(*pictures: tuple[list[TextArea], Texts]) -> dict[str, object]:
    metric = TextDetection()
    for areas, texts in pictures:
        metric.count(areas, texts)
    return metric.figures()


def test_more_than_half_of_the_union_is_a_match() -> None:
    # 100 x 10 each, shifted: intersection 100 - s by 10, union 100 + s by 10. More than half up to
    # a shift of 33, as 67 / 133 > 1/2 and 66 / 134 < 1/2.
    good = figures((found(box(33, 0, 133, 10)), there(box(0, 0, 100, 10))))
    assert (good["precision"], good["recall"], good["hmean"]) == (1, 1, 1)
    bad = figures((found(box(34, 0, 134, 10)), there(box(0, 0, 100, 10))))
    assert (bad["precision"], bad["recall"], bad["hmean"]) == (0, 0, 0)


def test_exactly_half_is_none() -> None:
    half = figures((found(box(0, 0, 100, 10)), there(box(0, 0, 50, 10))))
    assert half["hmean"] == 0


def test_each_text_is_matched_once() -> None:
    # Two finds on one text, and a text without: one match, of two found and two there.
    twice = figures(
        (
            found(box(0, 0, 100, 10), box(1, 0, 101, 10)),
            there(box(0, 0, 100, 10), box(0, 50, 100, 60)),
        )
    )
    assert (twice["found"], twice["texts"]) == (2, 2)
    assert (twice["precision"], twice["recall"]) == (0.5, 0.5)


def test_what_lies_in_an_ignored_text_does_not_count() -> None:
    # Of the finds one is right, 60 % of one lie in what is ignored, 40 % of another do.
    texts = there(box(0, 0, 100, 10), box(0, 50, 100, 60), ignored=1)
    areas = found(box(0, 0, 100, 10), box(40, 50, 140, 60), box(60, 50, 160, 60))
    some = figures((areas, texts))
    assert (some["texts"], some["found"]) == (1, 2)
    assert (some["precision"], some["recall"]) == (0.5, 1.0)
    assert some["hmean"] == pytest.approx(2 / 3)


def test_an_ignored_text_is_not_asked_for_and_takes_no_match() -> None:
    # Both texts lie in the same place: the find is in the ignored one and counts for nothing.
    both = figures((found(box(0, 0, 100, 10)), there(box(0, 0, 100, 10), box(0, 0, 100, 10),
                                                     ignored=1)))  # fmt: skip
    assert (both["texts"], both["found"], both["recall"], both["precision"]) == (1, 0, 0.0, 0.0)


def test_counts_are_summed_over_pictures_and_not_averaged() -> None:
    # 1 of 1 and 1 of 3 there: 2 of 4; found 1 and 2, of which 2 are right: 2 of 3.
    mixed = figures(
        (found(box(0, 0, 9, 9)), there(box(0, 0, 9, 9))),
        (
            found(box(0, 0, 9, 9), box(50, 50, 60, 60)),
            there(box(0, 0, 9, 9), box(20, 0, 29, 9), box(40, 0, 49, 9)),
        ),
    )
    assert mixed["count"] == 2
    assert mixed["recall"] == pytest.approx(2 / 4)
    assert mixed["precision"] == pytest.approx(2 / 3)
    assert mixed["hmean"] == pytest.approx(2 * (1 / 2) * (2 / 3) / (1 / 2 + 2 / 3))


def test_turned_outlines_are_measured_by_their_own_area() -> None:
    # A square on its tip in a square: half the area, exactly half of the union, no match; a little
    # larger is one.
    square = there(box(0, 0, 20, 20))
    tip = ((10.0, 0.0), (20.0, 10.0), (10.0, 20.0), (0.0, 10.0))
    assert figures((found(tip), square))["hmean"] == 0
    larger = ((10.0, -1.0), (21.0, 10.0), (10.0, 21.0), (-1.0, 10.0))
    assert figures((found(larger), square))["hmean"] == 1


def test_outlines_that_cross_themselves_do_not_count() -> None:
    bow = ((0.0, 0.0), (20.0, 20.0), (20.0, 0.0), (0.0, 20.0))
    crossed = figures((found(bow, box(0, 0, 20, 20)), there(box(0, 0, 20, 20))))
    assert (crossed["found"], crossed["precision"]) == (1, 1.0)


def test_nothing_found_and_nothing_there() -> None:
    assert figures(([], there(box(0, 0, 9, 9))))["hmean"] == 0
    with pytest.raises(DataError, match="no text in the readable pictures"):
        figures((found(box(0, 0, 9, 9)), there()))
    with pytest.raises(DataError, match="no text"):
        figures((found(), there(box(0, 0, 9, 9), ignored=1)))
