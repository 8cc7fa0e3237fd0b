"""Texts, and how they go on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from zoohub.errors import DataError, RecipeError
from zoohub.inputs.text import Sentence, padded
from zoohub.manifest.entry import InputContract, NetworkSpec
from zoohub.networks.families import find_family
from zoohub.outputs import Form
from zoohub.outputs.continuations import Continuations, TokenLosses
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
from zoohub.tasks.generation import SERVES, SHARES
from zoohub.tasks.generation.interpret import Continuation, Foretold, foretold, results_of
from zoohub.tasks.generation.memory import AnsweringReader, LogitsReader, RememberingReader
from zoohub.tasks.generation.options import GenerationOptions, check_options
from zoohub.tasks.generation.rows import (
    Window,
    collate_prompts,
    is_answered,
    known_text,
    prompt_rows,
    prompts_of,
)
from zoohub.tasks.generation.writing import write
from zoohub.tasks.samples import Samples

if TYPE_CHECKING:
    from mindspore import nn

    from zoohub.networks.family import LossRequest
    from zoohub.tasks.generation.recipe import GenerationRecipe, Passages
    from zoohub.tasks.generation.windows import Passage

_WRITTEN = "zoohub.outputs.continuations:continuations"
_TOKENS_AT_ONCE = 1024  # whose probabilities of all tokens are there at a time


class GenerationTask(Classless, Task["GenerationRecipe", None]):
    """See `Task`. The network has the parts `read`, asked once, `next`, asked once a token, and
    `foretell`, by which it is measured; or, where it answers a text with another, `encode` and
    `next`."""

    serves = SERVES
    shares = SHARES
    kind = "text"
    title = "go on with texts"
    figures = (
        Figure("perplexity", "perplexity", higher=False), Figure("loss", "loss", higher=False),
        Figure("acc", "next tokens"),
    )  # fmt: skip
    published = ("acc",)
    headline = ("perplexity",)
    best = ("loss",)
    epoch_figures = ("perplexity", "loss", "acc")
    sample = "text"
    options = GenerationOptions
    learns_from = "texts: a .txt, or a .jsonl of `text` or token ids"
    expected = "a .txt, or a .jsonl of `text` or token ids"
    streams = True
    measuring_batch = 8
    curve: ClassVar[Curve] = {"loss": {"training": "loss", "validation": "validation_loss"}}
    split_title = "part"

    @property
    def recipe(self) -> type[GenerationRecipe]:
        """See `Task`."""
        from zoohub.tasks.generation.recipe import GenerationRecipe

        return GenerationRecipe

    @property
    def readers(self) -> Readers[None]:
        """See `Task`."""
        from zoohub.tasks.generation.passages import PassagesReader

        return (PassagesReader(),)

    def claims(self, network: NetworkSpec) -> bool:
        """Networks that write."""
        return find_family(network.builder).outputs == _WRITTEN

    def check_network(self, network: NetworkSpec, training: InputContract | None = None) -> None:
        """That it writes; to learn: that it goes on with texts."""
        if not self.claims(network):
            raise DataError(f"networks of the family {network.builder} write no text")
        if training is not None and training.text is not None and is_answered(training.text):
            raise RecipeError(
                f"networks of the family {network.builder} answer a text with another, which "
                "zoohub does not train yet; it fine-tunes language models that go on with a text"
            )

    def prepare(
        self, contract: InputContract, options: object = None
    ) -> Callable[[Sentence | Passage], tuple[Row, ...]]:
        """See `Task`; a passage, which is to be foretold, has a row a window."""
        known = options if isinstance(options, GenerationOptions) else GenerationOptions()
        check_options(known)
        return prompt_rows(contract, known)

    def collate(self, rows: Sequence[Row]) -> dict[str, Array]:
        """Filled up to the longest."""
        return collate_prompts(rows)

    def infer(
        self,
        runners: Mapping[str, Runner],
        batch: Arrays,
        contract: InputContract,
        rows: Sequence[Row] = (),
    ) -> dict[str, Array]:
        """`tokens` (N, T) and `counts` (N,), written as the rows' prompts ask for; of windows
        `sums`, `hits` and `counts` (N,), see `TokenLosses`."""
        if "next" not in runners:
            raise DataError(
                "an exported language model scores sequences of one length, for programs of your "
                "own; to go on with a text, predict with the model's name"
            )
        if rows and all(isinstance(row.geometry, Window) for row in rows):
            return _foretold(runners["foretell"], batch)
        answers = write(_reader(runners, contract), prompts_of(rows))
        counts = np.array([len(tokens) for tokens in answers], np.int32)
        return {"tokens": padded(answers, 0), "counts": counts}

    def interpret(
        self,
        form: Form,
        rows: Sequence[Row],
        names: tuple[str, ...] | None,
        options: GenerationOptions,
    ) -> list[tuple[Continuation | Foretold, ...]]:
        """See `Task`; there are no classes."""
        if isinstance(form, TokenLosses):
            return [(one,) for one in foretold(form)]
        if not isinstance(form, Continuations):
            raise DataError(f"expected continuations; got {type(form).__name__}")
        return [tuple(found) for found in results_of(form, prompts_of(rows))]

    def merge(
        self, parts: Sequence[tuple[Continuation | Foretold, ...]]
    ) -> tuple[Continuation | Foretold, ...]:
        """A text's windows together."""
        if len(parts) == 1:
            return parts[0]
        ones = [one for part in parts for one in part if isinstance(one, Foretold)]
        return (Foretold(sum(one.total for one in ones), sum(one.tokens for one in ones)),)

    def metric(self, classes: tuple[str, ...]) -> Metric:
        """See `Task`."""
        from zoohub.tasks.generation.metric import Perplexity

        return Perplexity()

    def default_recipe(
        self,
        model: str,
        checkpoint: str | None,
        data: Passages,
        contract: InputContract,
        count: int,
    ) -> GenerationRecipe:
        """See `Task`."""
        from zoohub.tasks.generation.recipe import default_recipe

        return default_recipe(model, checkpoint, data, count)

    def training_rows(
        self, samples: Samples[None], contract: InputContract, recipe: GenerationRecipe
    ) -> TrainingRows:
        """See `Task`."""
        from zoohub.tasks.generation.training_rows import TrainingWindows

        return TrainingWindows(samples, known_text(contract)[0])

    def loss(self, net: nn.Cell, request: LossRequest) -> tuple[nn.Cell, nn.Cell]:
        """The cross entropy of each next token."""
        from zoohub.tasks.generation.loss import NextTokenLoss

        return net, NextTokenLoss(request.label_smoothing)

    def split_value(self, target: None, classes: tuple[str, ...]) -> object:
        """Nothing more is known of a text."""
        return ""

    def panels(self, finished: Finished[GenerationRecipe, None]) -> Panels:
        """See `Task`."""
        from zoohub.tasks.generation.panels import generation_panels

        return generation_panels(finished)


def _reader(runners: Mapping[str, Runner], contract: InputContract) -> LogitsReader:
    if "encode" not in runners:
        return RememberingReader(runners["read"], runners["next"])
    text, _ = known_text(contract)
    if text.start_id is None:
        raise DataError(
            "the index does not say which token this network's answers begin with; write `input: "
            "{text: {start_id: …}}` into its entry"
        )
    return AnsweringReader(runners["encode"], runners["next"], text.start_id)


def _foretold(runner: Runner, batch: Arrays) -> dict[str, Array]:
    """A few windows at a time: a network tells of all tokens how likely they are."""
    ids, lengths = batch["ids"], batch["lengths"]
    step = max(1, _TOKENS_AT_ONCE // ids.shape[1])
    found = [
        runner.run({"ids": ids[start : start + step], "lengths": lengths[start : start + step]})
        for start in range(0, len(ids), step)
    ]
    joined = {name: np.concatenate([one[name] for one in found]) for name in ("sums", "hits")}
    return {**joined, "counts": lengths - 1}


TASK = GenerationTask()
