"""The order of the pictures is a function of seed and epoch, whatever the workers and threads."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from zoohub.errors import DataError
from zoohub.training.data.batches import Loader, Plan, Prepare, epoch_order, in_order, step_places
from zoohub.training.data.samples import Samples


def samples(count: int) -> Samples:
    images = [np.full((2, 2), i, np.uint8) for i in range(count)]
    return Samples(images, np.arange(count), [str(i) for i in range(count)])


def prepare(place: int, random: np.random.Generator) -> NDArray[np.float32]:
    return np.array([[[place, random.random()]]], np.float32)


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


@pytest.mark.parametrize(("workers", "micro"), [(1, None), (2, None), (1, 2), (2, 2)])
def test_workers_and_accumulation_cut_the_same_global_batch(workers: int, micro: int) -> None:
    whole = Loader(samples(40), prepare, Plan(40, 8), seed=5)
    parts = [
        Loader(samples(40), prepare, Plan(40, 8, workers, rank, micro), seed=5)
        for rank in range(workers)
    ]
    for batches, *shares in zip(whole.steps(2), *(part.steps(2) for part in parts), strict=True):
        (expected, labels), *_ = batches
        together = [batch for share in shares for batch in share]
        assert (np.concatenate([images for images, _ in together]) == expected).all()
        assert (np.concatenate([label for _, label in together]) == labels).all()


def test_an_epoch_taken_up_in_its_middle_goes_on_as_it_would_have() -> None:
    loader = Loader(samples(40), prepare, Plan(40, 8), seed=5)
    whole = list(loader.steps(1))
    rest = list(loader.steps(1, first=3))
    assert len(rest) == len(whole) - 3
    for (expected, *_), (found, *_) in zip(whole[3:], rest, strict=True):
        assert (expected[0] == found[0]).all()


def test_the_number_of_threads_changes_nothing() -> None:
    one = Loader(samples(40), prepare, Plan(40, 8), seed=5, threads=1)
    many = Loader(samples(40), prepare, Plan(40, 8), seed=5, threads=7)
    for (a, *_), (b, *_) in zip(one.steps(0), many.steps(0), strict=True):
        assert (a[0] == b[0]).all()


def test_evaluation_sees_every_picture_in_order() -> None:
    batches = list(in_order(samples(10), prepare, 4))
    assert [len(images) for images, _ in batches] == [4, 4, 2]
    assert np.concatenate([labels for _, labels in batches]).tolist() == list(range(10))


def broken(places: set[int]) -> Prepare:
    def attempt(place: int, random: np.random.Generator) -> NDArray[np.float32]:
        random.random()
        if place in places:
            raise DataError(f"{place} is cut short")
        return prepare(place, random)

    return attempt


def test_an_unreadable_picture_is_named_and_the_next_one_takes_its_place() -> None:
    noted: dict[str, str] = {}
    loader = Loader(samples(16), broken({4, 5, 15}), Plan(16, 4), 1, note=noted.__setitem__)
    seen = [
        (int(image[0, 0, 0]), int(label))
        for batches in loader.steps(0)
        for images, labels in batches
        for image, label in zip(images, labels, strict=True)
    ]
    assert noted == {"4": "4 is cut short", "5": "5 is cut short", "15": "15 is cut short"}
    assert all(place == label for place, label in seen)
    # 4 and 5 become 6, 15 becomes 0; the others are where they were.
    expected = {4: 6, 5: 6, 15: 0}
    order = epoch_order(16, 4, 1, 0).tolist()
    assert [place for place, _ in seen] == [expected.get(place, place) for place in order]


def test_where_nothing_can_be_read_the_run_stops_with_the_reason() -> None:
    loader = Loader(samples(4), broken({0, 1, 2, 3}), Plan(4, 2), 1)
    with pytest.raises(DataError, match=r"none of the 4 training pictures .* is cut short"):
        list(loader.steps(0))


def test_evaluation_leaves_unreadable_pictures_out_and_names_them() -> None:
    noted: dict[str, str] = {}
    batches = list(in_order(samples(6), broken({1, 2, 3}), 2, note=noted.__setitem__))
    assert [labels.tolist() for _, labels in batches] == [[0], [4, 5]]
    assert [images[:, 0, 0, 0].tolist() for images, _ in batches] == [[0], [4, 5]]
    assert list(noted) == ["1", "2", "3"]
