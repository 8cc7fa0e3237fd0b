"""The order of the pictures is a function of seed and epoch, whatever the workers and threads."""

from __future__ import annotations

import numpy as np
import pytest

from zoohub.errors import DataError
from zoohub.tasks.contract import Note, Random, TrainingRow
from zoohub.tasks.pictures import first_readable
from zoohub.training.batches import Loader, Plan, epoch_order, step_places


class Rows:
    """The place and a random number of each sample; some cannot be read."""

    def __init__(self, count: int, broken: frozenset[int] = frozenset()) -> None:
        self.names, self.broken = [str(i) for i in range(count)], broken

    def __call__(self, place: int, random: Random, note: Note, epoch: int) -> TrainingRow:
        place, image = first_readable(self.names, place, note, self.read)
        row = np.array([image, random.random(), epoch], np.float32)
        return TrainingRow({"image": row}, {"label": np.array(place)})

    def read(self, place: int) -> int:
        if place in self.broken:
            raise DataError(f"{place} is cut short")
        return place


def loader(plan: Plan, **options: object) -> Loader:
    return Loader(Rows(plan.count), plan, 5, **options)  # type: ignore[arg-type]


def test_an_epoch_shows_each_picture_at_most_once_and_another_order_the_next() -> None:
    first, second = epoch_order(50, 8, 3, 0), epoch_order(50, 8, 3, 1)
    assert sorted(first) == sorted(second) == list(range(50))
    assert first.tolist() != second.tolist()


def test_fewer_pictures_than_a_batch_are_repeated_to_fill_it() -> None:
    plan = Plan(count=3, batch=8)
    assert plan.steps == 1
    places = step_places(plan, epoch_order(3, 8, 0, 0), 0)
    assert places.shape == (1, 8)
    assert set(places.ravel()) == {0, 1, 2}


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_workers_cut_the_same_global_batch(workers: int) -> None:
    whole = loader(Plan(40, 8))
    parts = [loader(Plan(40, 8, workers, rank)) for rank in range(workers)]
    for expected, *shares in zip(whole.steps(2), *(part.steps(2) for part in parts), strict=True):
        for kind in ("inputs", "targets"):
            for name, array in getattr(expected, kind).items():
                together = [getattr(share, kind)[name] for share in shares]
                assert (np.concatenate(together) == array).all()


def test_an_epoch_taken_up_in_its_middle_goes_on_as_it_would_have() -> None:
    whole = list(loader(Plan(40, 8)).steps(1))
    rest = list(loader(Plan(40, 8)).steps(1, first=3))
    assert len(rest) == len(whole) - 3
    for expected, found in zip(whole[3:], rest, strict=True):
        assert (expected.inputs["image"] == found.inputs["image"]).all()


def test_the_number_of_threads_changes_nothing() -> None:
    one, many = loader(Plan(40, 8), threads=1), loader(Plan(40, 8), threads=7)
    for a, b in zip(one.steps(0), many.steps(0), strict=True):
        assert (a.inputs["image"] == b.inputs["image"]).all()


def test_an_unreadable_picture_is_named_and_the_next_one_takes_its_place() -> None:
    noted: dict[str, str] = {}
    rows = Rows(16, frozenset({4, 5, 15}))
    steps = list(Loader(rows, Plan(16, 4), 1, note=noted.__setitem__).steps(0))
    seen = [place for step in steps for place in step.targets["label"].tolist()]
    assert noted == {"4": "4 is cut short", "5": "5 is cut short", "15": "15 is cut short"}
    assert [int(row[0]) for step in steps for row in step.inputs["image"]] == seen
    # 4 and 5 become 6, 15 becomes 0; the others are where they were.
    expected = {4: 6, 5: 6, 15: 0}
    order = epoch_order(16, 4, 1, 0).tolist()
    assert seen == [expected.get(place, place) for place in order]


def test_where_nothing_can_be_read_the_run_stops_with_the_reason() -> None:
    rows = Rows(4, frozenset(range(4)))
    with pytest.raises(DataError, match=r"none of the 4 training pictures .* is cut short"):
        list(Loader(rows, Plan(4, 2), 1).steps(0))
