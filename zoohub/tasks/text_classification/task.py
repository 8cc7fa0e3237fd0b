"""Texts, each of one class."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from zoohub.inputs.text import Sentence
from zoohub.manifest.entry import InputContract, NetworkSpec
from zoohub.networks.families import find_family
from zoohub.outputs import Form
from zoohub.running import Array, Runner
from zoohub.tasks.class_weights import numbers, settled_weights
from zoohub.tasks.classification.interpret import interpret_scores
from zoohub.tasks.classification.one_class import OneClass, scores_in
from zoohub.tasks.contract import (
    Arrays,
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
from zoohub.tasks.encoders import head_of, reads_text
from zoohub.tasks.results import Label
from zoohub.tasks.samples import Samples, Splits
from zoohub.tasks.text_classification import SERVES, SHARES
from zoohub.tasks.text_classification.heads import (
    CLASSIFIES,
    check_head,
    check_length,
    with_classifier,
)
from zoohub.tasks.text_classification.options import TextClassificationOptions
from zoohub.tasks.text_classification.rows import (
    collate_texts,
    run_texts,
    text_contract,
    text_rows,
    tokenizer_of,
)

if TYPE_CHECKING:
    from zoohub.tasks.text_classification.recipe import LabelledTexts, TextClassificationRecipe


class TextClassificationTask(OneClass["TextClassificationRecipe"]):
    """See `Task`."""

    serves = SERVES
    # Dialogue's classifiers; the encoders of the other two can learn this.
    shares = SHARES
    kind = "text"
    title = "classify texts"
    figures = (
        Figure("acc", "accuracy"), Figure("f1", "F1"), Figure("loss", "loss", higher=False)
    )  # fmt: skip
    published = ("acc", "f1")
    headline = ("acc", "f1")
    best = ("acc", "loss")
    epoch_figures = ("loss", "acc", "f1")
    learns_from = "texts with labels: a .csv, .tsv or .jsonl file of `text` and `label`"
    expected = "a .csv, .tsv or .jsonl file of `text` and `label`"
    sample = "text"
    builds_on = ("classification",)
    forgotten = ("per_class", "confusion")
    curve: ClassVar[Curve] = {
        "loss": {"training": "loss", "validation": "validation_loss"},
        "accuracy": {"training": "accuracy", "validation": "validation_acc"},
    }
    split_title = "label"
    options = TextClassificationOptions

    @property
    def recipe(self) -> type[TextClassificationRecipe]:
        """See `Task`."""
        from zoohub.tasks.text_classification.recipe import TextClassificationRecipe

        return TextClassificationRecipe

    @property
    def readers(self) -> Readers[int]:
        """See `Task`."""
        from zoohub.tasks.text_classification.table import TextsReader

        return (TextsReader(),)

    def claims(self, network: NetworkSpec) -> bool:
        """Encoders under a classifier."""
        return reads_text(network) and head_of(network) == CLASSIFIES

    def check_network(self, network: NetworkSpec, training: InputContract | None = None) -> None:
        """That its head tells the classes of texts apart."""
        check_head(network)
        if training is not None:
            check_length(network, text_contract(training))

    def network_for(self, network: NetworkSpec) -> NetworkSpec:
        """A pretrained encoder gets a classifier in place of what pretrained it."""
        return with_classifier(network)

    def prepare(
        self, contract: InputContract, options: object = None
    ) -> Callable[[Sentence], tuple[Row, ...]]:
        """See `Task`."""
        text = text_contract(contract)
        file = options.vocab if isinstance(options, TextClassificationOptions) else None
        return text_rows(text, tokenizer_of(text, file))

    def collate(self, rows: Sequence[Row]) -> dict[str, Array]:
        """Filled up to the longest."""
        return collate_texts(rows)

    def infer(
        self,
        runners: Mapping[str, Runner],
        batch: Arrays,
        contract: InputContract,
        rows: Sequence[Row] = (),
    ) -> dict[str, Array]:
        """See `run_texts`."""
        (runner,) = runners.values()
        return run_texts(runner, batch, text_contract(contract))

    def interpret(
        self,
        form: Form,
        rows: Sequence[Row],
        names: tuple[str, ...] | None,
        options: TextClassificationOptions,
    ) -> list[tuple[Label, ...]]:
        """See `Task`."""
        return interpret_scores(scores_in(form), names, options)

    def metric(self, classes: tuple[str, ...]) -> Metric:
        """See `Task`."""
        from zoohub.tasks.text_classification.metric import TextClassification

        return TextClassification(classes)

    def default_recipe(
        self,
        model: str,
        checkpoint: str | None,
        data: LabelledTexts,
        contract: InputContract,
        count: int,
    ) -> TextClassificationRecipe:
        """See `Task`."""
        from zoohub.tasks.text_classification.recipe import default_recipe

        return default_recipe(model, checkpoint, data, count)

    def suited(
        self, recipe: TextClassificationRecipe, network: NetworkSpec
    ) -> TextClassificationRecipe:
        """See `Task`."""
        from zoohub.tasks.text_classification.recipe import for_small_network

        return recipe if find_family(network.builder).heads else for_small_network(recipe)

    def training_rows(
        self, samples: Samples[int], contract: InputContract, recipe: TextClassificationRecipe
    ) -> TrainingRows:
        """See `Task`."""
        from zoohub.tasks.text_classification.training_rows import TrainingTexts

        return TrainingTexts(samples, text_contract(contract))

    def step_batches(
        self,
        rows: TrainingRow,
        recipe: TextClassificationRecipe,
        classes: int,
        random: Random,
        parts: int,
    ) -> list[MicroBatch]:
        """Cut into parts."""
        from zoohub.tasks.classification.loss import soft_targets

        targets = soft_targets(rows.targets["label"], classes, recipe.label_smoothing)
        weights = numbers(recipe.class_weights)
        if weights is not None:
            targets = targets * weights  # where the loss is linear in them
        inputs = [np.split(array, parts) for array in rows.inputs.values()]
        pieces = zip(zip(*inputs, strict=True), np.split(targets, parts), strict=True)
        return [(arrays, (wanted,)) for arrays, wanted in pieces]

    def settled(
        self, recipe: TextClassificationRecipe, splits: Splits[int]
    ) -> TextClassificationRecipe:
        """With a weight for each class."""

        def count() -> NDArray[np.int64]:
            return np.bincount(splits.train.targets, minlength=len(splits.classes))

        weights = settled_weights(recipe.class_weights, splits.classes, count)
        return replace(recipe, class_weights=weights)

    def panels(self, finished: Finished[TextClassificationRecipe, int]) -> Panels:
        """See `Task`."""
        from zoohub.tasks.text_classification.panels import text_panels

        return text_panels(finished)


TASK = TextClassificationTask()
