"""Questions, and the texts in which their answers stand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from zoohub.errors import DataError
from zoohub.inputs.text import Question, Sentence
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
from zoohub.tasks.encoders import head_of, reads_text, refuse_head, under_head
from zoohub.tasks.question_answering import SERVES, SHARES
from zoohub.tasks.question_answering.interpret import (
    Answer,
    AnsweringOptions,
    Candidates,
    best_of,
    candidates,
    scores_in,
    window_of,
)
from zoohub.tasks.question_answering.rows import Passage, question_rows
from zoohub.tasks.samples import Samples
from zoohub.tasks.texts import encoder_batch, run_encoder, text_contract, tokenizer_of

if TYPE_CHECKING:
    from mindspore import nn

    from zoohub.networks.family import LossRequest
    from zoohub.tasks.question_answering.recipe import AnsweringRecipe, Questions
    from zoohub.tasks.question_answering.squad import Truth

_HEAD, _SPANS = "question-answering", "spans"
_OTHERS = (
    "pretraining", "classification", "tagging", "chain-tagging", "recurrent-chain-tagging",
)  # fmt: skip


class AnsweringTask(Classless, Task["AnsweringRecipe", "Truth"]):
    """See `Task`. A long context has several rows, its windows."""

    serves = SERVES
    shares = SHARES
    kind = "text"
    asked = True
    title = "find answers in texts"
    figures = (
        Figure("exact_match", "exact match"), Figure("f1", "F1"),
        Figure("loss", "loss", higher=False),
    )  # fmt: skip
    published = ("exact_match", "f1")
    headline = ("exact_match", "f1")
    best = ("f1", "exact_match", "loss")
    epoch_figures = ("loss", "exact_match", "f1")
    learns_from = "questions: a SQuAD .json, or a .jsonl of `question`, `context` and `answers`"
    expected = "a SQuAD .json, or a .jsonl, .csv or .tsv of `question`, `context` and `answers`"
    sample = "question"
    curve: ClassVar[Curve] = {
        "loss": {"training": "loss", "validation": "validation_loss"},
        "validation": {"exact match": "validation_exact_match", "F1": "validation_f1"},
    }
    split_title = "answers"
    options = AnsweringOptions

    @property
    def recipe(self) -> type[AnsweringRecipe]:
        """See `Task`."""
        from zoohub.tasks.question_answering.recipe import AnsweringRecipe

        return AnsweringRecipe

    @property
    def readers(self) -> Readers[Truth]:
        """See `Task`."""
        from zoohub.tasks.question_answering.squad import QuestionsReader

        return (QuestionsReader(),)

    def claims(self, network: NetworkSpec) -> bool:
        """Heads that say where an answer starts and ends."""
        return reads_text(network) and head_of(network) in (_HEAD, _SPANS)

    def check_network(self, network: NetworkSpec, training: InputContract | None = None) -> None:
        """That it finds answers; and learns to, which those that find several do not here."""
        if not self.claims(network):
            raise refuse_head(network, "finds no answers", f"{_HEAD!r} or {_SPANS!r}")
        if training is not None and head_of(network) == _SPANS:
            raise DataError(
                f"networks of the family {network.builder} are not trained by zoohub; take one "
                f"with the head {_HEAD!r}"
            )

    def network_for(self, network: NetworkSpec) -> NetworkSpec:
        """An encoder with another head gets one for answers."""
        return under_head(network, _HEAD, _OTHERS)

    def prepare(
        self, contract: InputContract, options: object = None
    ) -> Callable[[Sentence | Question | Passage], tuple[Row, ...]]:
        """See `Task`."""
        text = text_contract(contract)
        own = options if isinstance(options, AnsweringOptions) else AnsweringOptions()
        tokenizer = tokenizer_of(text, own.vocab)
        return question_rows(text, tokenizer, own.question, own.stride)

    def collate(self, rows: Sequence[Row]) -> dict[str, Array]:
        """Filled up to the longest."""
        return encoder_batch(rows, window_of(rows[0]).contract)

    def infer(
        self,
        runners: Mapping[str, Runner],
        batch: Arrays,
        contract: InputContract,
        rows: Sequence[Row] = (),
    ) -> dict[str, Array]:
        """See `run_encoder`."""
        (runner,) = runners.values()
        return run_encoder(runner, batch)

    def interpret(
        self,
        form: Form,
        rows: Sequence[Row],
        names: tuple[str, ...] | None,
        options: AnsweringOptions,
    ) -> list[tuple[Candidates]]:
        """What each window answers, of which `merge` makes the question's answers."""
        return candidates(scores_in(form), rows, options)

    def merge(self, parts: Sequence[tuple[Candidates, ...]]) -> tuple[Answer, ...]:
        """The best answers of all windows."""
        return best_of([window for (window,) in parts])

    def metric(self, classes: tuple[str, ...]) -> Metric:
        """See `Task`."""
        from zoohub.tasks.question_answering.metric import ExactAndF1

        return ExactAndF1()

    def default_recipe(
        self,
        model: str,
        checkpoint: str | None,
        data: Questions,
        contract: InputContract,
        count: int,
    ) -> AnsweringRecipe:
        """See `Task`."""
        from zoohub.tasks.question_answering.recipe import default_recipe

        return default_recipe(model, checkpoint, data, count)

    def training_rows(
        self, samples: Samples[Truth], contract: InputContract, recipe: AnsweringRecipe
    ) -> TrainingRows:
        """See `Task`."""
        from zoohub.tasks.question_answering.training_rows import TrainingQuestions

        return TrainingQuestions(samples, text_contract(contract))

    def loss(self, net: nn.Cell, request: LossRequest) -> tuple[nn.Cell, nn.Cell]:
        """The cross entropy of where answers start and end."""
        from zoohub.tasks.question_answering.loss import SpanCrossEntropy

        return net, SpanCrossEntropy()

    def split_value(self, target: Truth, classes: tuple[str, ...]) -> object:
        """The right answers."""
        return "; ".join(target.texts)

    def panels(self, finished: Finished[AnsweringRecipe, Truth]) -> Panels:
        """See `Task`."""
        from zoohub.tasks.question_answering.panels import answering_panels

        return answering_panels(finished)


TASK = AnsweringTask()
