"""Texts with words left out, and which they could be."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from zoohub.inputs.text import Sentence
from zoohub.manifest.entry import InputContract, NetworkSpec
from zoohub.outputs import Form
from zoohub.running import Array, Runner
from zoohub.tasks.classless import Classless
from zoohub.tasks.contract import (
    Arrays,
    Curve,
    Figure,
    Finished,
    Metric,
    Panels,
    Readers,
    Row,
    Task,
    TrainingRows,
)
from zoohub.tasks.encoders import head_of, reads_text, refuse_head
from zoohub.tasks.fill_mask import SERVES, SHARES
from zoohub.tasks.fill_mask.interpret import FillMaskOptions, Word, best_words, scores_in
from zoohub.tasks.fill_mask.rows import Blanks, Masked, masked_rows
from zoohub.tasks.samples import Samples
from zoohub.tasks.texts import IDS, encoder_batch, run_encoder, text_contract, tokenizer_of

if TYPE_CHECKING:
    from mindspore import nn

    from zoohub.networks.family import LossRequest
    from zoohub.tasks.fill_mask.recipe import FillMaskRecipe, PlainTexts
    from zoohub.tasks.fill_mask.table import Truth

_HEADS = ("pretraining", "fill-mask")
_AT_ONCE = 8  # texts: a score for each word of each token is a lot


class FillMaskTask(Classless, Task["FillMaskRecipe", "Truth"]):
    """See `Task`. The scores of a row are those at its masks alone."""

    serves = SERVES
    shares = SHARES
    kind = "text"
    title = "find words left out"
    figures = (
        Figure("acc", "accuracy"), Figure("perplexity", "perplexity", higher=False),
        Figure("loss", "loss", higher=False),
    )  # fmt: skip
    published = ("acc",)
    headline = ("acc", "perplexity")
    best = ("loss",)
    epoch_figures = ("loss", "acc", "perplexity")
    learns_from = "texts: a .txt file, a text a line, or a .csv, .tsv or .jsonl of `text`"
    expected = "a .txt file, a text a line, or a .csv, .tsv or .jsonl of `text`"
    sample = "text"
    curve: ClassVar[Curve] = {
        "loss": {"training": "loss", "validation": "validation_loss"},
        "accuracy": {"validation": "validation_acc"},
    }
    split_title = "left out"
    options = FillMaskOptions

    @property
    def recipe(self) -> type[FillMaskRecipe]:
        """See `Task`."""
        from zoohub.tasks.fill_mask.recipe import FillMaskRecipe

        return FillMaskRecipe

    @property
    def readers(self) -> Readers[Truth]:
        """See `Task`."""
        from zoohub.tasks.fill_mask.table import PlainTextsReader

        return (PlainTextsReader(),)

    def claims(self, network: NetworkSpec) -> bool:
        """Heads that give a score a word for each token, which is not written from left to
        right."""
        return (
            reads_text(network)
            and head_of(network) in _HEADS
            and not network.arguments.get("causal")
        )

    def check_network(self, network: NetworkSpec, training: InputContract | None = None) -> None:
        """That it finds words."""
        if not self.claims(network):
            raise refuse_head(network, "finds no words", " or ".join(map(repr, _HEADS)))

    def prepare(
        self, contract: InputContract, options: object = None
    ) -> Callable[[Sentence | Masked], tuple[Row, ...]]:
        """See `Task`."""
        text = text_contract(contract)
        if not isinstance(options, FillMaskOptions):
            return masked_rows(text, None, None)
        return masked_rows(text, tokenizer_of(text, options.vocab), options.mask_id)

    def collate(self, rows: Sequence[Row]) -> dict[str, Array]:
        """Filled up to the longest."""
        blanks = rows[0].geometry
        assert isinstance(blanks, Blanks)
        return encoder_batch(rows, blanks.contract)

    def infer(
        self,
        runners: Mapping[str, Runner],
        batch: Arrays,
        contract: InputContract,
        rows: Sequence[Row] = (),
    ) -> dict[str, Array]:
        """`words` (N, masks, V): the scores at each row's masks, behind them those of no token."""
        (runner,) = runners.values()
        places = [row.geometry.places for row in rows if isinstance(row.geometry, Blanks)]
        most = max(map(len, places))
        parts = []
        for start in range(0, len(rows), _AT_ONCE):
            part = {name: array[start : start + _AT_ONCE] for name, array in batch.items()}
            words = words_in(run_encoder(runner, part), part[IDS])
            for one, own in zip(words, places[start : start + _AT_ONCE], strict=True):
                nothing = np.zeros((most - len(own), one.shape[1]), one.dtype)
                parts.append(np.concatenate([one[list(own)], nothing]))
        return {"words": np.stack(parts)}

    def interpret(
        self,
        form: Form,
        rows: Sequence[Row],
        names: tuple[str, ...] | None,
        options: FillMaskOptions,
    ) -> list[tuple[Word, ...]]:
        """See `Task`; there are no classes."""
        return best_words(scores_in(form), rows, options)

    def metric(self, classes: tuple[str, ...]) -> Metric:
        """See `Task`."""
        from zoohub.tasks.fill_mask.metric import FoundWords

        return FoundWords()

    def default_recipe(
        self,
        model: str,
        checkpoint: str | None,
        data: PlainTexts,
        contract: InputContract,
        count: int,
    ) -> FillMaskRecipe:
        """See `Task`."""
        from zoohub.tasks.fill_mask.recipe import default_recipe

        return default_recipe(model, checkpoint, data, count)

    def training_rows(
        self, samples: Samples[Truth], contract: InputContract, recipe: FillMaskRecipe
    ) -> TrainingRows:
        """See `Task`."""
        from zoohub.tasks.fill_mask.training_rows import MaskedTexts

        return MaskedTexts(samples, text_contract(contract), recipe)

    def loss(self, net: nn.Cell, request: LossRequest) -> tuple[nn.Cell, nn.Cell]:
        """The cross entropy of the words left out."""
        from zoohub.tasks.fill_mask.loss import MaskedCrossEntropy

        return net, MaskedCrossEntropy()

    def split_value(self, target: Truth, classes: tuple[str, ...]) -> object:
        """The ids left out."""
        return " ".join(map(str, target))

    def panels(self, finished: Finished[FillMaskRecipe, Truth]) -> Panels:
        """See `Task`."""
        from zoohub.tasks.fill_mask.panels import fill_mask_panels

        return fill_mask_panels(finished)


def words_in(raw: Mapping[str, Array], ids: Array) -> Array:
    """The scores of words (N, L, V) among what a network gives for ids (N, L): some write one text
    behind the other, and those that filled the batch up."""
    words = raw["words"] if "words" in raw else next(iter(raw.values()))
    return words.reshape(-1, ids.shape[1], words.shape[-1])[: len(ids)]


TASK = FillMaskTask()
