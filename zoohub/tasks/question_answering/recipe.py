"""The recipe of a network that learns to answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from zoohub.core.binding import number
from zoohub.tasks.encoder_recipe import encoder_settings
from zoohub.tasks.recipe import Optimizer, Recipe


@dataclass(frozen=True, slots=True)
class Questions:
    """A .json file in SQuAD's form, or a .jsonl, .csv or .tsv of `question`, `context` and
    `answer` or `answers`, and perhaps `split`.

    `answer` is a text that stands in the context; `answers` a list of `{text, answer_start}` (a
    character), or SQuAD's `{text: […], answer_start: […]}`. A question without one has no answer.
    In a .jsonl question and context may be lists of token ids, the question's with all its marks,
    the context's with the one that ends it; an answer is then `{start, end}`, tokens of the
    context. `vocab` is the file that cuts text; None: `tokenizer.json` or `vocab.txt` beside it,
    where there is one. Without parts the share `validation` is split off by `seed`.
    """

    kind: Literal["questions"]
    path: str
    vocab: str | None = None
    validation: float = number(0.1, low=0.0, high=0.9)
    seed: int = number(0, low=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsweringRecipe(Recipe):
    """One training run of a network that finds answers."""

    task: Literal["question-answering"]
    data: Questions
    optimizer: Optimizer = field(default_factory=Optimizer)


def default_recipe(
    model: str, checkpoint: str | None, data: Questions, questions: int
) -> AnsweringRecipe:
    """Sensible settings for `questions` to train on: about 1,500 steps, 2 to 30 epochs; a
    pretrained network learns as in BERT's paper (5e-5), a fresh one six times as fast."""
    lr = 3e-4 if checkpoint is None else 5e-5
    return AnsweringRecipe(
        task="question-answering",
        model=model,
        checkpoint=checkpoint,
        data=data,
        **encoder_settings(questions, lr, epochs=(2, 30)),
    )
