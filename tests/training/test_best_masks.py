"""Which epoch is best where masks are learned: the one whose masks are."""

from __future__ import annotations

from typing import Any

import pytest

from zoohub.tasks.charts import learning_curve
from zoohub.tasks.detection.task import TASK
from zoohub.training.epochs import counting, ranked

MASKS = {"map": 0.9, "map50": 0.95, "mask_map": 0.4, "mask_map50": 0.6}
BOXES = {"map": 0.9, "map50": 0.95}
NOTHING = dict.fromkeys(BOXES)


def lines(*epochs: dict[str, Any]) -> list[dict[str, Any]]:
    """What `metrics.jsonl` says of them."""
    return [
        {"epoch": number, "loss": 1.0, **{f"validation_{key}": v for key, v in found.items()}}
        for number, found in enumerate(epochs, 1)
    ]


def test_masks_decide_where_they_are_measured() -> None:
    assert ranked(TASK, MASKS, []) == [0.4]
    assert ranked(TASK, MASKS, lines(NOTHING, MASKS)) == [0.4]
    assert counting(TASK, "map50", MASKS, []) == "mask_map50"
    better = {**MASKS, "map": 0.1, "mask_map": 0.5}
    assert ranked(TASK, better, lines(MASKS)) > ranked(TASK, MASKS, [])


def test_boxes_decide_where_there_are_no_masks() -> None:
    assert ranked(TASK, BOXES, []) == [0.9]
    assert ranked(TASK, {**BOXES, "mask_map": None}, []) == [0.9]
    assert ranked(TASK, NOTHING, []) is None
    assert counting(TASK, "map75", MASKS, []) == "map75"


def test_a_run_that_began_by_boxes_goes_on_by_them() -> None:
    assert ranked(TASK, MASKS, lines(BOXES)) == [0.9]
    assert ranked(TASK, MASKS, lines(NOTHING, BOXES, MASKS)) == [0.9]
    assert counting(TASK, "map50", MASKS, lines(BOXES)) == "map50"


def test_an_epoch_without_masks_is_not_ranked_among_those_with() -> None:
    assert ranked(TASK, BOXES, lines(MASKS)) is None
    assert ranked(TASK, MASKS, lines(MASKS, BOXES)) == [0.4]
    assert ranked(TASK, MASKS, lines(BOXES, MASKS)) == [0.9]


@pytest.mark.parametrize(("found", "count"), [(BOXES, 2), (MASKS, 3)])
def test_the_page_draws_what_was_measured(found: dict[str, float], count: int) -> None:
    drawn = learning_curve(TASK.curve, lines(NOTHING, found))
    assert sum(drawn.count(f">{title}</text>") for title in TASK.curve) == count
