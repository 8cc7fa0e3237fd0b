"""Sentences, and what they are in another language."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from zoohub.errors import DataError
from zoohub.inputs.text import Sentence
from zoohub.manifest.entry import InputContract
from zoohub.outputs import Form
from zoohub.outputs.sequences import Sequences
from zoohub.running import Array, Runner
from zoohub.tasks.classless import Classless
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
    Task,
    TrainingRow,
    TrainingRows,
)
from zoohub.tasks.samples import Splits
from zoohub.tasks.translation import SERVES
from zoohub.tasks.translation.beam_search import Search, beam_search
from zoohub.tasks.translation.interpret import (
    Translation,
    TranslationOptions,
    best_of,
    languages_of,
)
from zoohub.tasks.translation.rows import (
    Language,
    collate_sentences,
    sentence_rows,
    text_contract,
    vocabulary_of,
)

if TYPE_CHECKING:
    from mindspore import nn

    from zoohub.networks.family import LossRequest
    from zoohub.tasks.translation.parallel import Pairs, Reference
    from zoohub.tasks.translation.recipe import ParallelData, TranslationRecipe


class TranslationTask(Classless, Task["TranslationRecipe", "Reference"]):
    """See `Task`. The network has two parts, `encode` and `step`, and the search is here."""

    serves = SERVES
    kind = "text"
    title = "translate sentences"
    figures = (Figure("bleu", "BLEU"),)
    headline = ("bleu",)
    published = ("bleu",)
    best = ("bleu",)
    epoch_figures = ("bleu",)
    learns_from = "parallel text: a folder with source.txt and target.txt, or a .jsonl"
    expected = "a folder with source.txt and target.txt, or a .jsonl of `source` and `target`"
    sample = "sentence"
    curve: ClassVar[Curve] = {
        "loss": {"training": "loss"},
        "validation": {"BLEU": "validation_bleu"},
    }
    split_title = "translation"
    options = TranslationOptions

    @property
    def recipe(self) -> type[TranslationRecipe]:
        """See `Task`."""
        from zoohub.tasks.translation.recipe import TranslationRecipe

        return TranslationRecipe

    @property
    def readers(self) -> Readers[Reference]:
        """See `Task`."""
        from zoohub.tasks.translation.parallel import ParallelReader

        return (ParallelReader(),)

    def prepare(
        self, contract: InputContract, options: object = None
    ) -> Callable[[Sentence], tuple[Row, ...]]:
        """See `Task`."""
        text = text_contract(contract)
        file = options.vocab if isinstance(options, TranslationOptions) else None
        return sentence_rows(Language(text, vocabulary_of(text, file)))

    def collate(self, rows: Sequence[Row]) -> dict[str, Array]:
        """Filled up to the longest."""
        return collate_sentences(rows)

    def infer(
        self,
        runners: Mapping[str, Runner],
        batch: Arrays,
        contract: InputContract,
        rows: Sequence[Row] = (),
    ) -> dict[str, Array]:
        """`ids` and `scores` of the beams that a search ends with.

        Raises:
            DataError: the network is a file's that holds it whole.
        """
        if "encode" not in runners:
            raise DataError(
                "this file holds the network as training asks it, with the translation given, and "
                "a search asks its parts: export it again without a length"
            )
        return translate(runners["encode"], runners["step"], batch, search_of(contract))

    def interpret(
        self,
        form: Form,
        rows: Sequence[Row],
        names: tuple[str, ...] | None,
        options: TranslationOptions,
    ) -> list[tuple[Translation, ...]]:
        """See `Task`; there are no classes."""
        if not isinstance(form, Sequences):
            raise DataError(f"expected sequences from the search; got {type(form).__name__}")
        return best_of(form, languages_of(rows))

    def metric(self, classes: tuple[str, ...]) -> Metric:
        """See `Task`."""
        from zoohub.tasks.translation.metric import Bleu

        return Bleu()

    def default_recipe(
        self,
        model: str,
        checkpoint: str | None,
        data: ParallelData,
        contract: InputContract,
        count: int,
    ) -> TranslationRecipe:
        """See `Task`."""
        from zoohub.tasks.translation.recipe import default_recipe

        return default_recipe(model, checkpoint, data, count)

    def training_rows(
        self, samples: Pairs, contract: InputContract, recipe: TranslationRecipe
    ) -> TrainingRows:
        """See `Task`."""
        from zoohub.tasks.translation.training_rows import TrainingPairs

        return TrainingPairs(samples, text_contract(contract))

    def step_batches(
        self,
        rows: TrainingRow,
        recipe: TranslationRecipe,
        classes: int,
        random: Random,
        parts: int,
    ) -> list[MicroBatch]:
        """Cut into parts, and down to what the longest sentence takes."""
        from zoohub.tasks.translation.training_rows import step_length

        masks = (rows.inputs["source_mask"], rows.inputs["target_mask"])
        length = step_length(max(int(mask.sum(1).max()) for mask in masks))

        def cut(arrays: Arrays) -> list[list[Array]]:
            short = (np.ascontiguousarray(array[:, :length]) for array in arrays.values())
            return [np.split(array, parts) for array in short]

        inputs, targets = cut(rows.inputs), cut(rows.targets)
        return list(zip(zip(*inputs, strict=True), zip(*targets, strict=True), strict=True))

    def evaluates(self, recipe: TranslationRecipe, epoch: int) -> bool:
        """See `Task`."""
        return epoch % recipe.evaluate_every == 0

    def loss(self, net: nn.Cell, request: LossRequest) -> tuple[nn.Cell, nn.Cell]:
        """The smoothed cross entropy of each next token."""
        from zoohub.tasks.translation.loss import SmoothedCrossEntropy

        return net, SmoothedCrossEntropy(request.label_smoothing)

    def settled(self, recipe: TranslationRecipe, splits: Splits[Reference]) -> TranslationRecipe:
        """As it is; that BLEU can be computed is seen to before an epoch is spent."""
        from zoohub.tasks.translation.metric import check_sacrebleu

        if len(splits.validation) or len(splits.test):
            check_sacrebleu()
        return recipe

    def split_value(self, target: Reference, classes: tuple[str, ...]) -> object:
        """The translation."""
        return target.text or " ".join(map(str, target.ids))

    def panels(self, finished: Finished[TranslationRecipe, Reference]) -> Panels:
        """See `Task`."""
        from zoohub.tasks.translation.panels import translation_panels

        return translation_panels(finished)


def search_of(contract: InputContract) -> Search:
    """The search that a contract asks for.

    Raises:
        DataError: it does not say how long a translation may be.
    """
    text = text_contract(contract)
    assert text.start_id is not None
    assert text.end_id is not None
    if text.max_decode_length is None:
        raise DataError("the index does not say how long a translation may be (max_decode_length)")
    return Search(
        text.start_id, text.end_id, text.beam_width, text.max_decode_length, text.length_penalty
    )


def translate(encode: Runner, step: Runner, batch: Arrays, search: Search) -> dict[str, Array]:
    """Search with a network's two parts: `source_ids`, `source_mask` (N, S) -> `ids` (N, K, T) and
    `scores` (N, K)."""
    sentences = len(batch["source_ids"])
    memory = encode.run(batch)["memory"]
    seen = {
        "memory": np.repeat(memory, search.width, 0),
        "source_mask": np.repeat(batch["source_mask"], search.width, 0),
    }
    beams = beam_search(
        lambda ids: step.run({**seen, "target_ids": ids})["log_probabilities"], sentences, search
    )
    return {"ids": beams.ids, "scores": beams.scores(search.length_penalty)}


TASK = TranslationTask()
