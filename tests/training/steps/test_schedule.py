"""The learning rate's way up and down."""

from __future__ import annotations

import itertools

import pytest

from zoohub.tasks.recipe import Schedule
from zoohub.training.steps.schedule import learning_rate


def rates(schedule: Schedule, steps: int = 20, per_epoch: int = 5) -> list[float]:
    return [learning_rate(schedule, 0.1, step, steps, per_epoch) for step in range(steps)]


def test_warm_up_rises_evenly_and_reaches_the_rate_with_its_last_step() -> None:
    assert rates(Schedule(warmup=1))[:5] == pytest.approx([0.02, 0.04, 0.06, 0.08, 0.1])


@pytest.mark.parametrize("name", ["cosine", "linear"])
def test_the_way_down_ends_at_the_final_share(name: str) -> None:
    values = rates(Schedule(name=name, warmup=1, final=0.1))  # type: ignore[arg-type]
    assert values[5] == pytest.approx(0.1)
    assert values[-1] == pytest.approx(0.01)
    assert all(b <= a for a, b in itertools.pairwise(values[5:]))


def test_a_constant_rate_stays_and_a_warm_up_longer_than_the_run_is_cut() -> None:
    assert set(rates(Schedule(name="constant"))) == {0.1}
    assert rates(Schedule(warmup=100))[-1] == pytest.approx(0.1)
