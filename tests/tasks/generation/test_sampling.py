"""Which token is drawn, by its score."""

from __future__ import annotations

import numpy as np
import pytest

from zoohub.tasks.generation.sampling import Sampling, candidates, next_token

SCORES = np.log(np.float32([0.1, 0.4, 0.05, 0.3, 0.15]))


def drawn(sampling: Sampling, count: int = 2000) -> np.ndarray:
    random = np.random.default_rng(0)
    found = [next_token(SCORES, sampling, random) for _ in range(count)]
    return np.bincount(found, minlength=5) / count


def test_without_a_temperature_the_likeliest_is_taken() -> None:
    assert drawn(Sampling(), 20).tolist() == [0, 1, 0, 0, 0]
    even = np.zeros(4, np.float32)
    assert next_token(even, Sampling(), np.random.default_rng(0)) == 0


def test_tokens_come_as_often_as_they_are_likely() -> None:
    np.testing.assert_allclose(drawn(Sampling(1.0)), np.exp(SCORES), atol=0.03)


def test_the_temperature_divides_the_scores() -> None:
    tokens, shares = candidates(SCORES, Sampling(0.5))
    wanted = np.exp(SCORES.astype(float)) ** 2
    np.testing.assert_allclose(shares, (wanted / wanted.sum())[tokens], rtol=1e-5)
    _, cold = candidates(SCORES * 1000, Sampling(1e-9))
    assert cold.tolist() == [1, 0, 0, 0, 0]  # nothing overflows


def test_only_the_top_k_are_drawn() -> None:
    tokens, shares = candidates(SCORES, Sampling(1.0, top_k=2))
    assert tokens.tolist() == [1, 3]
    np.testing.assert_allclose(shares, [4 / 7, 3 / 7], rtol=1e-5)
    assert drawn(Sampling(1.0, top_k=1), 50).tolist() == [0, 1, 0, 0, 0]


@pytest.mark.parametrize(
    ("top_p", "kept"), [(0.0, [1]), (0.39, [1]), (0.41, [1, 3]), (0.75, [1, 3, 4])]
)
def test_the_fewest_with_that_probability_together_are_drawn(top_p: float, kept: list[int]) -> None:
    tokens, shares = candidates(SCORES, Sampling(1.0, top_p=top_p))
    assert tokens.tolist() == kept
    assert shares.sum() == pytest.approx(1)


def test_the_probability_is_of_what_the_top_k_leave() -> None:
    tokens, _ = candidates(SCORES, Sampling(1.0, top_k=2, top_p=0.5))
    assert tokens.tolist() == [1]  # 4 of 7


@pytest.mark.filterwarnings("error")
def test_the_tiniest_temperature_takes_the_likeliest() -> None:
    scores = np.array([0.0, 2.0, 1.0], np.float32)
    assert next_token(scores, Sampling(1e-320), np.random.default_rng(0)) == 1
