"""What each class counts in a loss, worked out by hand."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pytest
from mindspore import Tensor
from numpy.typing import NDArray

from zoohub.errors import RecipeError
from zoohub.tasks.class_weights import settled_weights
from zoohub.tasks.classification.loss import SoftCrossEntropy
from zoohub.tasks.classification.recipe import ClassificationRecipe, FolderData
from zoohub.tasks.classification.task import TASK as CLASSIFICATION
from zoohub.tasks.contract import TrainingRow
from zoohub.tasks.recipe import ClassWeights, recipe_text
from zoohub.tasks.samples import Samples, Splits, none
from zoohub.tasks.segmentation.masks import Mask
from zoohub.tasks.segmentation.recipe import MasksData, SegmentationRecipe
from zoohub.tasks.segmentation.task import TASK as SEGMENTATION
from zoohub.training import parse_recipe

CLASSES = ("bus", "car", "van")


def settled(said: ClassWeights | None, counts: tuple[int, ...] = (6, 3, 1)) -> object:
    return settled_weights(said, CLASSES, lambda: np.array(counts, np.int64))


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (None, None),
        ((1.0, 2.0, 0.5), (1.0, 2.0, 0.5)),
        ({"van": 4.0}, (1.0, 1.0, 4.0)),
        ("balanced", (10 / 18, 10 / 9, 10 / 3)),  # n / (k n_c): 10 samples of 3 classes
    ],
)
def test_weights_are_said_by_list_by_name_or_by_balance(
    said: ClassWeights | None, expected: tuple[float, ...] | None
) -> None:
    assert settled(said) == (None if expected is None else pytest.approx(expected))


def test_a_class_without_samples_does_not_change_the_others_balance() -> None:
    assert settled("balanced", (6, 2, 0)) == pytest.approx((8 / 12, 8 / 4, 1.0))


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ((1.0, 2.0), r"expected 3 numbers, one for each class \(bus, car, van\), found 2"),
        ({"lorry": 2.0}, "lorry is not among the classes of the data: bus, car, van"),
        ((0.0, 0.0, 0.0), "from 0, not all of them 0"),
        ({"car": -1.0}, "from 0, not all of them 0"),
    ],
)
def test_weights_that_do_not_go_with_the_data_are_refused(said: ClassWeights, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        settled(said)


def test_a_recipe_says_weights_in_three_ways_and_none_by_saying_nothing() -> None:
    text = "{model: m, data: {kind: digits}, class_weights: %s}"
    for written, read in (
        ("balanced", "balanced"), ("{a: 2}", {"a": 2.0}), ("[1, 2.5]", (1.0, 2.5))
    ):  # fmt: skip
        recipe = parse_recipe(text % written)
        assert isinstance(recipe, ClassificationRecipe)
        assert recipe.class_weights == read
        assert parse_recipe(recipe_text(recipe)) == recipe
    assert "class_weights" not in recipe_text(parse_recipe("{model: m, data: {kind: digits}}"))
    with pytest.raises(RecipeError, match="class_weights"):
        parse_recipe(text % "even")


def test_a_classifiers_loss_is_weighted_as_by_hand() -> None:
    samples = Samples(["a", "b", "c", "d"], [0, 0, 0, 1], list("abcd"))
    splits = Splits(("x", "y"), samples, none(), none())
    recipe = CLASSIFICATION.settled(
        ClassificationRecipe(model="m", data=FolderData("folder", "."), class_weights="balanced"),
        splits,
    )
    assert recipe.class_weights == pytest.approx((4 / 6, 4 / 2))
    # Class 0 has a chance of 3/4 for all of them.
    logits = np.tile(np.array([math.log(3.0), 0.0], np.float32), (4, 1))
    expected = (3 * (4 / 6) * -math.log(3 / 4) + 2 * -math.log(1 / 4)) / 4
    rows = TrainingRow({"image": np.zeros((4, 1, 2, 2), np.float32)},
                       {"label": np.array([0, 0, 0, 1])})  # fmt: skip
    # However the batch is cut, the parts' mean is the same.
    for parts in (1, 2, 4):
        batches = CLASSIFICATION.step_batches(rows, recipe, 2, np.random.default_rng(0), parts)
        losses = [
            float(SoftCrossEntropy()(Tensor(part), Tensor(targets)))
            for part, (_, (targets,)) in zip(np.split(logits, parts), batches, strict=True)
        ]
        assert np.mean(losses) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("said", "expected"),
    [("balanced", (8 / 12, 8 / 4)), ({"cell": 3.0}, (1.0, 3.0)), (None, None)],
)
def test_a_segmenters_balance_is_of_pixels(
    said: ClassWeights | None, expected: tuple[float, ...] | None
) -> None:
    masks: list[NDArray[np.uint8]] = [
        np.array([[0, 0], [0, 1]], np.uint8), np.array([[0, 0, 255], [0, 1, 255]], np.uint8)
    ]  # fmt: skip
    samples = Samples(["a", "b"], [Mask(mask) for mask in masks], ["a", "b"])
    splits = Splits(("ground", "cell"), samples, none(), none())
    recipe = SegmentationRecipe(
        task="semantic-segmentation", model="m", data=MasksData("masks", "."), class_weights=said
    )
    done = SEGMENTATION.settled(recipe, splits)
    assert done.class_weights == (None if expected is None else pytest.approx(expected))
    weights: Mapping[str, float] = SEGMENTATION.loss_weights(done)
    assert list(weights.values()) == ([] if expected is None else pytest.approx(list(expected)))
