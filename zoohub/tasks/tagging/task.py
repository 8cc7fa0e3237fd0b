"""Texts, and what their words name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from zoohub.inputs.text import Sentence
from zoohub.manifest.entry import InputContract, NetworkSpec
from zoohub.outputs import Form
from zoohub.running import Array, Runner
from zoohub.running.batching import fill
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
from zoohub.tasks.encoders import head_of, reads_text, refuse_head, under_head
from zoohub.tasks.samples import Samples
from zoohub.tasks.tagging import SERVES, SHARES
from zoohub.tasks.tagging.interpret import Named, TaggingOptions, named_in, scores_in, words_of
from zoohub.tasks.tagging.rows import Words, word_rows
from zoohub.tasks.texts import IDS, encoder_batch, run_encoder, text_contract, tokenizer_of

if TYPE_CHECKING:
    from mindspore import nn

    from zoohub.networks.family import LossRequest
    from zoohub.tasks.tagging.conll import Tags
    from zoohub.tasks.tagging.recipe import TaggedTexts, TaggingRecipe

_TAGS = "tagging"
_CHAINS = ("chain-tagging", "recurrent-chain-tagging")
_OTHERS = ("pretraining", "classification", "question-answering")


class TaggingTask(Task["TaggingRecipe", "Tags"]):
    """See `Task`."""

    serves = SERVES
    shares = SHARES
    kind = "text"
    title = "find names in texts"
    figures = (
        Figure("f1", "F1"), Figure("precision", "precision"), Figure("recall", "recall"),
        Figure("loss", "loss", higher=False),
    )  # fmt: skip
    published = ("f1",)
    headline = ("f1", "precision", "recall")
    best = ("f1", "loss")
    epoch_figures = ("loss", "f1", "precision", "recall")
    learns_from = "tagged texts: a CoNLL file, a folder of them, or a .jsonl of `tokens` and `tags`"
    expected = "a CoNLL file, a folder of them, or a .jsonl of `tokens` and `tags`"
    sample = "text"
    builds_on = ("classification",)
    forgotten = ("per_class", "types")
    curve: ClassVar[Curve] = {
        "loss": {"training": "loss", "validation": "validation_loss"},
        "F1": {"validation": "validation_f1"},
    }
    split_title = "tags"
    options = TaggingOptions

    @property
    def recipe(self) -> type[TaggingRecipe]:
        """See `Task`."""
        from zoohub.tasks.tagging.recipe import TaggingRecipe

        return TaggingRecipe

    @property
    def readers(self) -> Readers[Tags]:
        """See `Task`."""
        from zoohub.tasks.tagging.conll import TaggedTextsReader

        return (TaggedTextsReader(),)

    def claims(self, network: NetworkSpec) -> bool:
        """Heads that tag each token, with a conditional random field or without."""
        return reads_text(network) and head_of(network) in (_TAGS, *_CHAINS)

    def check_network(self, network: NetworkSpec, training: InputContract | None = None) -> None:
        """That it tags tokens."""
        if not self.claims(network):
            raise refuse_head(network, "tags no words", "'tagging' or 'chain-tagging'")

    def network_for(self, network: NetworkSpec) -> NetworkSpec:
        """An encoder with another head gets one that tags each token by itself."""
        return under_head(network, _TAGS, _OTHERS)

    def prepare(
        self, contract: InputContract, options: object = None
    ) -> Callable[[Sentence | Words], tuple[Row, ...]]:
        """See `Task`."""
        text = text_contract(contract)
        file = options.vocab if isinstance(options, TaggingOptions) else None
        return word_rows(text, tokenizer_of(text, file))

    def collate(self, rows: Sequence[Row]) -> dict[str, Array]:
        """Filled up to the longest."""
        return encoder_batch(rows, words_of(rows[0]).contract)

    def infer(
        self,
        runners: Mapping[str, Runner],
        batch: Arrays,
        contract: InputContract,
        rows: Sequence[Row] = (),
    ) -> dict[str, Array]:
        """`tags` (N, L, K), and `after` (K, K) of a conditional random field."""
        (runner,) = runners.values()
        raw = run_encoder(runner, batch)
        after = raw.get("after")
        if after is not None and len(after) < after.shape[1]:
            # A runner that filled this batch up to K texts took the K rows for theirs.
            filled = fill(list(batch.values()), after.shape[1])
            raw = run_encoder(runner, dict(zip(batch, filled, strict=True)))
        tags = raw["tags"] if "tags" in raw else next(iter(raw.values()))
        texts, length = batch[IDS].shape
        tags = tags.reshape(-1, length, tags.shape[-1])[:texts]
        return {**({} if after is None else {"after": raw["after"]}), "tags": tags}

    def interpret(
        self,
        form: Form,
        rows: Sequence[Row],
        names: tuple[str, ...] | None,
        options: TaggingOptions,
    ) -> list[tuple[Named, ...]]:
        """See `Task`; in the order of the text."""
        return named_in(scores_in(form), rows, names, options)

    def metric(self, classes: tuple[str, ...]) -> Metric:
        """See `Task`."""
        from zoohub.tasks.tagging.metric import EntityScores

        return EntityScores(classes)

    def present(self, samples: Samples[Tags]) -> Iterable[int]:
        """See `Task`."""
        return (tag for tags in samples.targets for tag in tags)

    def renumbered(self, samples: Samples[Tags], places: NDArray[np.int64]) -> Samples[Tags]:
        """See `Task`."""
        targets = [tuple(int(places[tag]) for tag in tags) for tags in samples.targets]
        return Samples(samples.inputs, targets, samples.names)

    def class_names(
        self, form: Form, found: tuple[str, ...], known: tuple[str, ...] | None = None
    ) -> tuple[str, ...]:
        """The data's, where there are as many."""
        count = scores_in(form).classes
        return found if len(found) == count else tuple(f"class {i}" for i in range(count))

    def default_recipe(
        self,
        model: str,
        checkpoint: str | None,
        data: TaggedTexts,
        contract: InputContract,
        count: int,
    ) -> TaggingRecipe:
        """See `Task`."""
        from zoohub.tasks.tagging.recipe import default_recipe

        return default_recipe(model, checkpoint, data, count)

    def training_rows(
        self, samples: Samples[Tags], contract: InputContract, recipe: TaggingRecipe
    ) -> TrainingRows:
        """See `Task`."""
        from zoohub.tasks.tagging.training_rows import TrainingTags

        return TrainingTags(samples, text_contract(contract))

    def loss(self, net: nn.Cell, request: LossRequest) -> tuple[nn.Cell, nn.Cell]:
        """The cross entropy of each word's tag; of a conditional random field that of all of a
        text's tags, which nothing smooths."""
        from zoohub.tasks.tagging.loss import ChainLoss, TagCrossEntropy

        if "after" in getattr(net, "gives", ()):
            return net, ChainLoss()
        return net, TagCrossEntropy(request.label_smoothing)

    def split_value(self, target: Tags, classes: tuple[str, ...]) -> object:
        """The tags."""
        return " ".join(classes[tag] for tag in target)

    def panels(self, finished: Finished[TaggingRecipe, Tags]) -> Panels:
        """See `Task`."""
        from zoohub.tasks.tagging.panels import tagging_panels

        return tagging_panels(finished)


TASK = TaggingTask()
