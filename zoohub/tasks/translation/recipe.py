"""A translator's recipe: its parallel text, and settings for the amount of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from zoohub.core.binding import number
from zoohub.tasks.recipe import Optimizer, Recipe, Schedule, planned_epochs


@dataclass(frozen=True, slots=True)
class ParallelData:
    """Sentences and their translations: a folder with `source.txt` and `target.txt`, a sentence a
    line, or a .jsonl whose lines have `source` and `target`, each a text or a list of token ids.

    `vocab` is the file of tokens that cuts text; None: `vocab.txt` beside them, where there is one.
    A folder may have folders `validation` and `test` of the same kind; without the first, the
    share `validation` of the sentences is split off by `seed`.
    """

    kind: Literal["parallel"]
    path: str
    vocab: str | None = None
    validation: float = number(0.1, low=0.0, high=0.9)
    seed: int = number(0, low=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class TranslationRecipe(Recipe):
    """One training run of a translator, by teacher forcing. `evaluate_every` counts epochs."""

    task: Literal["machine-translation"]
    data: ParallelData
    label_smoothing: float = number(0.1, low=0.0, high=0.9)
    evaluate_every: int = number(1, low=1)
    optimizer: Optimizer = field(default_factory=Optimizer)


def default_recipe(
    model: str, checkpoint: str | None, data: ParallelData, sentences: int
) -> TranslationRecipe:
    """Sensible settings for `sentences` to train on: about 3,000 steps, 3 to 100 epochs; a
    pretrained network learns gently, a fresh one ten times as fast."""
    batch = min(32, max(1, sentences))
    epochs = planned_epochs(3000, sentences, batch, fewest=3, most=100)
    return TranslationRecipe(
        task="machine-translation",
        model=model,
        checkpoint=checkpoint,
        data=data,
        optimizer=Optimizer(
            name="adamw", lr=1e-3 if checkpoint is None else 1e-4, betas=(0.9, 0.98), clip=1.0
        ),
        schedule=Schedule(warmup=min(1.0, epochs / 10), final=0.01),
        epochs=epochs,
        batch_size=batch,
        label_smoothing=0.1,
        layer_decay=None,
    )
