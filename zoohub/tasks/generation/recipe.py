"""A language model's recipe: its texts, and settings for the amount of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from zoohub.core.binding import number
from zoohub.tasks.recipe import Optimizer, Recipe, Schedule, planned_epochs


@dataclass(frozen=True, slots=True)
class Passages:
    """Texts to go on with: a .txt, which is one text, or a .jsonl whose lines have a `text` and
    perhaps `split` (train, val or test), or are lists of token ids.

    `vocab` is the file of tokens that cuts text; None: `tokenizer.json` beside it, where there is
    one. A text is learnt in windows of `length` tokens, each of which begins with the last token
    of the one before: every token but a text's first is asked for once, by at most `length` - 1
    before it. Without `split` the last share `validation` of the windows is kept to validate on.
    """

    kind: Literal["passages"]
    path: str
    vocab: str | None = None
    length: int = number(128, low=2)
    validation: float = number(0.1, low=0.0, high=0.9)


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationRecipe(Recipe):
    """One training run of a language model, by the cross entropy of each next token."""

    task: Literal["language-model"]
    data: Passages
    optimizer: Optimizer = field(default_factory=Optimizer)


def default_recipe(
    model: str, checkpoint: str | None, data: Passages, windows: int
) -> GenerationRecipe:
    """Sensible settings for `windows` to train on: about 2,000 steps, 2 to 50 epochs; a pretrained
    network learns gently, a fresh one ten times as fast."""
    batch = min(8, max(1, windows))
    epochs = planned_epochs(2000, windows, batch, fewest=2, most=50)
    return GenerationRecipe(
        task="language-model",
        model=model,
        checkpoint=checkpoint,
        data=data,
        optimizer=Optimizer(
            name="adamw",
            lr=5e-4 if checkpoint is None else 5e-5,
            weight_decay=0.01,
            clip=1.0,
        ),
        schedule=Schedule(warmup=min(1.0, epochs / 10), final=0.01),
        epochs=epochs,
        batch_size=batch,
    )
