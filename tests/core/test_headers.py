"""Headers of strangers say something sensible, or nothing; they never raise."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoohub.core.headers import (
    ContentRange,
    content_range,
    printable,
    reason,
    retry_after,
    size_of,
    validator,
)

NONSENSE = [
    *(None, "", " ", "²", "٣", "-1", "+1", "1e3", "0x10", "1_000", "9" * 20, "9" * 5000, "nan"),
    *("1, 1", "\x00", "\x1b[2J", "Mon, 99999999999999999999 Jan 2024 00:00:00 GMT", "1;2", "½"),
]


@pytest.mark.parametrize("value", NONSENSE)
def test_what_is_no_size_is_none(value: str | None) -> None:
    assert size_of(value) is None
    assert content_range(value) is None
    assert content_range(f"bytes 0-9/{value}") is None
    assert content_range(f"bytes {value}-9/10") is None


def test_sizes_and_ranges_are_read() -> None:
    assert size_of(" 17 ") == 17
    assert content_range("bytes 5-9/10") == ContentRange(5, 10, 10)
    assert content_range("bytes 5-9/*") == ContentRange(5, 10, None)
    assert content_range("bytes */10") == ContentRange(None, None, 10)


@pytest.mark.parametrize("value", ["bytes 9-5/10", "bytes 5-10/10", "bytes 0-9", "items 0-1/2"])
def test_a_range_whose_figures_do_not_fit_is_none(value: str) -> None:
    assert content_range(value) is None


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        *(("3", 3.0), ("0.5", 0.5), ("999999", 60.0), ("9" * 5000, None), ("-3", None)),
        *(("Thu, 01 Jan 1970 00:00:07 GMT", 2.0), ("Thu, 01 Jan 1970 00:00:01 GMT", 0.0)),
        *(("Fri, 31 Dec 9999 23:59:59 -2359", 60.0), ("inf", None), ("nan", None), ("²", None)),
        ("Mon, 99999999999999999999 Jan 2024 00:00:00 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date_within_a_limit(value: str, seconds: float | None) -> None:
    assert retry_after(value, 5.0, 60.0) in (seconds, None)
    assert seconds is None or value.startswith("Fri") or retry_after(value, 5.0, 60.0) == seconds


@given(st.text(max_size=80))
def test_no_text_makes_a_reader_raise(text: str) -> None:
    size_of(text)
    content_range(text)
    retry_after(text, 0.0, 60.0)
    reason(404, text)
    validator({"ETag": text, "Last-Modified": text})


def test_only_what_can_be_sent_back_is_a_validator() -> None:
    assert validator({"ETag": '"abc"'}) == '"abc"'
    assert validator({"ETag": 'W/"abc"', "Last-Modified": "then"}) == "then"
    assert validator({"ETag": '"ü"', "Last-Modified": "a\r\nHost: b"}) is None
    assert printable("x" * 5000) is None
