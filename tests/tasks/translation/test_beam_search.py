"""The search, over networks that are tables of numbers."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from zoohub.tasks.translation.beam_search import Beams, Search, advance, beam_search

END = 2
SEARCH = Search(start=1, end=END, width=3, steps=4, length_penalty=1.0)


def chain(seed: int, tokens: int = 5) -> np.ndarray:
    """Log probabilities of each token after each other, (tokens, tokens)."""
    values = np.random.default_rng(seed).standard_normal((tokens, tokens)).astype(np.float32) * 2
    return values - np.log(np.exp(values).sum(1, keepdims=True))


def step_of(table: np.ndarray):  # type: ignore[no-untyped-def]
    return lambda ids: table[ids[:, -1]]


def enumerated(table: np.ndarray, search: Search) -> float:
    """The best score of all sequences there are, none left out."""
    best = -np.inf
    for length in range(1, search.steps + 1):
        for tail in itertools.product(range(len(table)), repeat=length):
            if END in tail[:-1] or (tail[-1] != END and length < search.steps):
                continue
            path = (search.start, *tail)
            total = sum(table[a, b] for a, b in itertools.pairwise(path))
            best = max(best, total / ((length + 5) / 6) ** search.length_penalty)
    return float(best)


@pytest.mark.parametrize("seed", range(8))
def test_a_beam_as_wide_as_all_there_is_finds_the_best_sequence(seed: int) -> None:
    table = chain(seed, tokens=4)
    search = Search(start=1, end=END, width=200, steps=3, length_penalty=0.8)
    beams = beam_search(step_of(np.pad(table, (0, 196), constant_values=-1e9)), 1, search)
    assert beams.scores(0.8).max() == pytest.approx(enumerated(table, search), rel=1e-5)


@pytest.mark.parametrize("seed", range(4))
def test_sentences_of_a_batch_are_searched_each_by_itself(seed: int) -> None:
    tables = [chain(10 * seed + n) for n in range(3)]

    def step(ids: np.ndarray) -> np.ndarray:
        last = ids.reshape(3, SEARCH.width, -1)[:, :, -1]
        return np.concatenate([table[row] for table, row in zip(tables, last, strict=True)])

    together = beam_search(step, 3, SEARCH)
    for place, table in enumerate(tables):
        alone = beam_search(step_of(table), 1, SEARCH)
        np.testing.assert_array_equal(together.ids[place], alone.ids[0])
        np.testing.assert_array_equal(together.lengths[place], alone.lengths[0])


def test_what_is_finished_stays_and_is_filled_up_with_the_end() -> None:
    table = np.full((5, 5), -8.0, np.float32)
    table[1, END], table[1, 3] = -0.1, -0.2
    table[3, END] = -0.05
    calls = []

    def step(ids: np.ndarray) -> np.ndarray:
        calls.append(ids.shape)
        return table[ids[:, -1]]

    beams = beam_search(step, 1, Search(start=1, end=END, width=2, steps=6))
    assert calls == [(2, 1), (2, 2)]  # and none once both are finished
    assert beams.ids.shape == (1, 2, 7)
    assert beams.finished.all()
    assert sorted(beams.ids[0].tolist()) == [[1, 2, 2, 2, 2, 2, 2], [1, 3, 2, 2, 2, 2, 2]]
    assert sorted(beams.lengths[0].tolist()) == [1, 2]


def test_of_equal_scores_the_earlier_token_is_taken() -> None:
    beams = Beams(
        np.full((1, 2, 1), 1, np.int32), np.float32([[0, -1e9]]), np.zeros((1, 2), np.int32),
        np.zeros((1, 2), bool),
    )  # fmt: skip
    after = advance(beams, np.zeros((1, 2, 6), np.float32), Search(1, 5, width=2))
    assert after.ids[0].tolist() == [[1, 0], [1, 1]]


def test_a_finished_beam_takes_the_place_of_the_worst_candidate() -> None:
    beams = Beams(
        np.array([[[1, 3], [1, END]]], np.int32), np.float32([[-1.0, -0.5]]),
        np.array([[1, 1]], np.int32), np.array([[False, True]]),
    )  # fmt: skip
    tokens = np.log(np.float32([[[0.1, 0.1, 0.1, 0.3, 0.4]] * 2]))
    after = advance(beams, tokens, Search(1, END, width=2))
    assert after.ids[0].tolist() == [[1, 3, 4], [1, END, END]]
    assert after.log_probabilities[0].tolist() == pytest.approx([-1 + np.log(0.4), -0.5])
    assert after.lengths[0].tolist() == [2, 1]
    assert after.finished[0].tolist() == [False, True]
