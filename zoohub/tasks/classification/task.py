"""Pictures, each of one class."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from zoohub.errors import RecipeError
from zoohub.inputs.picture import Picture
from zoohub.manifest.entry import InputContract
from zoohub.outputs import Form
from zoohub.tasks.class_weights import numbers, settled_weights
from zoohub.tasks.classification import SERVES
from zoohub.tasks.classification.interpret import ClassificationOptions, interpret_scores
from zoohub.tasks.classification.one_class import OneClass, scores_in
from zoohub.tasks.contract import (
    Curve,
    Figure,
    Finished,
    Metric,
    MicroBatch,
    Panels,
    Random,
    Readers,
    Row,
    TrainingRow,
    TrainingRows,
)
from zoohub.tasks.pictures import picture_rows
from zoohub.tasks.results import Label
from zoohub.tasks.samples import Samples, Splits

if TYPE_CHECKING:
    from zoohub.tasks.classification.recipe import ClassificationRecipe, Data


class ClassificationTask(OneClass["ClassificationRecipe"]):
    """See `Task`; a sample's target is its class's index."""

    serves = SERVES
    title = "classify pictures"
    figures = (
        Figure("top1", "top-1"), Figure("top5", "top-5"), Figure("loss", "loss", higher=False)
    )  # fmt: skip
    published = ("top1", "top5")
    headline = ("top1",)
    best = ("top1", "loss")
    epoch_figures = ("loss", "top1")
    freezes = True
    unnamed = True  # theirs were the first recipes
    options = ClassificationOptions
    learns_from = "pictures with labels: a folder a class, a .csv or a .jsonl file"
    expected = "a folder of pictures or a .csv or .jsonl file"
    forgotten = ("per_class", "confusion")
    curve: ClassVar[Curve] = {
        "loss": {"training": "loss", "validation": "validation_loss"},
        "accuracy": {"training": "accuracy", "validation": "validation_top1"},
    }
    split_title = "label"

    @property
    def recipe(self) -> type[ClassificationRecipe]:
        """See `Task`."""
        from zoohub.tasks.classification.recipe import ClassificationRecipe

        return ClassificationRecipe

    @property
    def readers(self) -> Readers[int]:
        """See `Task`."""
        from zoohub.tasks.classification.digits import DigitsReader
        from zoohub.tasks.classification.folder import FolderReader
        from zoohub.tasks.classification.imagenet import ImageNetReader
        from zoohub.tasks.classification.table import TableReader

        return (DigitsReader(), ImageNetReader(), FolderReader(), TableReader())

    def prepare(
        self, contract: InputContract, options: object = None
    ) -> Callable[[Picture], tuple[Row, ...]]:
        """See `Task`."""
        return picture_rows(contract)

    def interpret(
        self,
        form: Form,
        rows: Sequence[Row],
        names: tuple[str, ...] | None,
        options: ClassificationOptions,
    ) -> list[tuple[Label, ...]]:
        """See `Task`."""
        return interpret_scores(scores_in(form), names, options)

    def metric(self, classes: tuple[str, ...]) -> Metric:
        """See `Task`."""
        from zoohub.tasks.classification.metric import Classification

        return Classification(classes)

    def default_recipe(
        self, model: str, checkpoint: str | None, data: Data, contract: InputContract, count: int
    ) -> ClassificationRecipe:
        """See `Task`."""
        from zoohub.tasks.classification.recipe import default_recipe

        return default_recipe(model, checkpoint, data, contract, count)

    def training_rows(
        self, samples: Samples[int], contract: InputContract, recipe: ClassificationRecipe
    ) -> TrainingRows:
        """See `Task`."""
        from zoohub.tasks.classification.rows import TrainingPictures

        return TrainingPictures(samples, contract, recipe.augment)

    def step_batches(
        self,
        rows: TrainingRow,
        recipe: ClassificationRecipe,
        classes: int,
        random: Random,
        parts: int,
    ) -> list[MicroBatch]:
        """Mixed before it is cut into parts, so that their size changes nothing."""
        from zoohub.tasks.classification.augment import mix
        from zoohub.tasks.classification.loss import soft_targets

        targets = soft_targets(rows.targets["label"], classes, recipe.label_smoothing)
        images, targets = mix(rows.inputs["image"], targets, recipe.augment, random)
        weights = numbers(recipe.class_weights)
        if weights is not None:
            targets = targets * weights  # where the loss is linear in them
        pairs = zip(np.split(images, parts), np.split(targets, parts), strict=True)
        return [((image,), (target,)) for image, target in pairs]

    def settled(self, recipe: ClassificationRecipe, splits: Splits[int]) -> ClassificationRecipe:
        """With a weight for each class."""

        def count() -> NDArray[np.int64]:
            return np.bincount(splits.train.targets, minlength=len(splits.classes))

        weights = settled_weights(recipe.class_weights, splits.classes, count)
        return replace(recipe, class_weights=weights)

    def check_freeze(self, recipe: ClassificationRecipe) -> None:
        """All but what mixes pictures, which features cannot stand for."""
        if recipe.augment.mixup or recipe.augment.cutmix:
            raise RecipeError(
                "freeze: augment.mixup and augment.cutmix mix pictures anew in each step, and "
                "features are computed once; leave them out"
            )

    def without_changes(self, recipe: ClassificationRecipe) -> ClassificationRecipe:
        """See `Task`."""
        from zoohub.tasks.classification.recipe import Augment

        return replace(recipe, augment=Augment())

    def panels(self, finished: Finished[ClassificationRecipe, int]) -> Panels:
        """See `Task`."""
        from zoohub.tasks.classification.panels import classification_panels

        return classification_panels(finished)


TASK = ClassificationTask()
