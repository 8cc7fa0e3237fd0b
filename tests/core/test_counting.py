from __future__ import annotations

import pytest

from zoohub.core.counting import counted, plural


@pytest.mark.parametrize(
    ("count", "expected"), [(0, "0 pictures"), (1, "1 picture"), (2, "2 pictures")]
)
def test_one_alone_is_singular(count: int, expected: str) -> None:
    assert counted(count, "picture") == expected


def test_what_takes_more_than_an_s_says_so() -> None:
    assert counted(1, "box was cut", "boxes were cut") == "1 box was cut"
    assert counted(3, "box was cut", "boxes were cut") == "3 boxes were cut"
    assert plural(1, "class", "classes") == "class"
    assert plural(0, "class", "classes") == "classes"
