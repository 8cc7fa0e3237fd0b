"""Which pairs are trained on together, and what they are filled up to."""

from __future__ import annotations

import numpy as np

from zoohub.inputs.text import Sentence
from zoohub.manifest.entry import InputContract, TextContract
from zoohub.tasks.finding import find_task
from zoohub.tasks.samples import Samples
from zoohub.tasks.translation.parallel import Pairs, Reference
from zoohub.tasks.translation.recipe import ParallelData, default_recipe
from zoohub.tasks.translation.training_rows import TrainingPairs, step_length
from zoohub.training.batches import Loader, Plan

TEXT = TextContract(max_length=64, vocab_size=10, start_id=1, end_id=2)
LENGTHS = np.random.default_rng(0).integers(1, 35, 640)


def pairs() -> Pairs:
    names = [str(number) for number in range(len(LENGTHS))]
    inputs = [Sentence(n, ids=(5,) * count) for n, count in zip(names, LENGTHS, strict=True)]
    return Samples(inputs, [Reference((6, 7)) for _ in names], names)


def test_pairs_of_about_one_length_are_together_and_each_is_seen_once() -> None:
    loader = Loader(TrainingPairs(pairs(), TEXT), Plan(640, 32), seed=3)
    seen, filled = [], []
    for rows in loader.steps(0):
        counts = rows.inputs["source_mask"].sum(1) - 1  # without the end
        seen += counts.tolist()
        filled.append(int(counts.max() - counts.min()))
    assert sorted(seen) == sorted(LENGTHS.tolist())
    assert max(filled) <= 4  # of 34; shuffled, nearly every batch has both ends


def test_the_order_is_another_each_epoch_and_the_same_for_a_seed() -> None:
    def first(seed: int, epoch: int) -> list[int]:
        steps = Loader(TrainingPairs(pairs(), TEXT), Plan(640, 32), seed).steps(epoch)
        return [int(rows.inputs["source_mask"].sum()) for rows in steps]

    assert first(0, 0) == first(0, 0)
    assert first(0, 0) != first(0, 1)
    assert first(0, 0) != first(1, 0)


def test_a_step_is_cut_down_to_one_of_few_lengths() -> None:
    task = find_task("machine-translation")
    recipe = default_recipe("transformer", None, ParallelData("parallel", "somewhere"), 640)
    rows = task.training_rows(pairs(), InputContract(text=TEXT), recipe)
    steps = Loader(rows, Plan(640, 32), seed=0).steps(0)
    random = np.random.default_rng(0)
    lengths = set()
    for step in steps:
        (batch, other) = task.step_batches(step, recipe, 0, random, 2)
        shapes = {array.shape for array in (*batch[0], *batch[1], *other[0], *other[1])}
        assert len(shapes) == 1
        ((size, length),) = shapes
        assert size == 16
        assert length == step_length(int(step.inputs["source_mask"].sum(1).max()))
        lengths.add(length)
    assert lengths == {8, 16, 24, 32, 48}
    assert step_length(1000) == 1000
