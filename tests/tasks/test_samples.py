"""Samples are split by their seed alone."""

from __future__ import annotations

import pytest

from zoohub.tasks.samples import Samples, split_off


def of(count: int) -> Samples[int]:
    return Samples(list(range(count)), list(range(count)), [str(i) for i in range(count)])


@pytest.mark.parametrize(
    ("count", "share", "apart"),
    [(10, 0.2, 2), (10, 0.01, 1), (10, 0.99, 9), (2, 0.5, 1), (1, 0.5, 0), (0, 0.5, 0)],
)
def test_a_share_is_at_least_one_and_never_all(count: int, share: float, apart: int) -> None:
    kept, other = split_off(of(count), share, 0)
    assert len(other) == apart
    assert sorted([*kept.targets, *other.targets]) == list(range(count))
    for part in (kept, other):
        assert list(part.inputs) == sorted(part.targets)
        assert list(part.names) == [str(target) for target in part.targets]


def test_the_same_seed_draws_the_same_and_another_others() -> None:
    drawn = [tuple(split_off(of(50), 0.2, seed)[1].targets) for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]
