"""Word accuracy and edit distance, on cases worked out by hand."""

from __future__ import annotations

import pytest

from zoohub.errors import DataError
from zoohub.tasks.text_recognition.metric import TextAccuracy, edit_distance

NAMES = (*"0123456789abcdefghijklmnopqrstuvwxyz", "<blank>")


def compared(*pairs: tuple[str, str], names: tuple[str, ...] = NAMES) -> dict[str, float]:
    metric = TextAccuracy(names)
    for found, label in pairs:
        metric.compare(found, label)
    return metric.figures()


def test_a_case_by_hand() -> None:
    figures = compared(
        ("hello", "Hello!"),  # right in lower case without what the network does not know
        ("bala", "ba la"),  # right without spaces
        ("cat", "cart"),  # one of four letters is missing
        ("abc", "abc"),
        ("", "xy"),
    )
    assert figures["acc"] == pytest.approx(3 / 5)
    assert figures["exact"] == pytest.approx(1 / 5)
    assert figures["norm_edit_distance"] == pytest.approx((1 + 1 + 3 / 4 + 1 + 0) / 5)
    assert figures["count"] == 5


def test_a_network_that_knows_both_cases_is_compared_in_lower_case() -> None:
    assert compared(("Word", "word"), names=tuple("WORDword"))["acc"] == 1
    assert compared(("Word", "word"), names=tuple("WORDword"))["exact"] == 0
    assert compared(("word", "WORD"), names=tuple("WORD"))["acc"] == 1


def test_of_two_that_are_empty_nothing_is_wrong() -> None:
    figures = compared(("", "!?"))
    assert (figures["acc"], figures["norm_edit_distance"], figures["exact"]) == (1, 1, 0)


@pytest.mark.parametrize(
    ("one", "other", "far"),
    [("", "", 0), ("", "abc", 3), ("abc", "", 3), ("kitten", "sitting", 3), ("ab", "ba", 2)],
)
def test_edit_distance(one: str, other: str, far: int) -> None:
    assert edit_distance(one, other) == edit_distance(other, one) == far


def test_nothing_is_no_figure() -> None:
    with pytest.raises(DataError, match="no text to measure"):
        TextAccuracy(NAMES).figures()
