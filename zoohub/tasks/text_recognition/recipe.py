"""A text recogniser's recipe: its labelled lines, its random changes, settings for their number."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from zoohub.core.binding import number
from zoohub.tasks.recipe import Optimizer, Recipe, Schedule, planned_epochs


@dataclass(frozen=True, slots=True)
class LinesData:
    """Pictures of words or lines with a text file that names each and says its text: a folder with
    `gt.txt` (or `rec_gt.txt`, `labels.txt`, with `_train`, `_val`, `_test` for the parts, or in
    folders of these names), or that file itself.

    `vocab` is a file of the characters to tell apart, one a line; None: those that the network
    knows, where these are enough, else all that the training texts have. Without a part to validate
    on, the share `validation` is split off by `seed`.
    """

    kind: Literal["lines"]
    path: str
    vocab: str | None = None
    validation: float = number(0.1, low=0.0, high=0.9)
    seed: int = number(0, low=0)


@dataclass(frozen=True, slots=True)
class LineAugment:
    """Random changes of the training pictures: `colour` is the largest relative change of
    brightness and contrast, `stretch` that of the width, `edge` the share of the height that is cut
    off at each side at most."""

    colour: float = number(0.0, low=0.0, high=1.0)
    stretch: float = number(0.0, low=0.0, high=0.9)
    edge: float = number(0.0, low=0.0, high=0.4)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecognitionRecipe(Recipe):
    """One training run of a text recogniser. `evaluate_every` counts epochs."""

    task: Literal["scene-text-recognition"]
    data: LinesData
    augment: LineAugment = field(default_factory=LineAugment)
    evaluate_every: int = number(1, low=1)


def default_recipe(
    model: str, checkpoint: str | None, data: LinesData, pictures: int
) -> RecognitionRecipe:
    """Sensible settings for `pictures` to train on: about 4,000 steps, 5 to 200 epochs; a
    pretrained network learns gently, a fresh one five times as fast."""
    batch = 32 if pictures >= 64 else 8
    epochs = planned_epochs(4000, pictures, batch, fewest=5, most=200)
    return RecognitionRecipe(
        task="scene-text-recognition",
        model=model,
        checkpoint=checkpoint,
        data=data,
        augment=LineAugment(colour=0.2, stretch=0.1, edge=0.05),
        optimizer=Optimizer(
            name="adamw", lr=1e-3 if checkpoint is None else 2e-4, weight_decay=1e-4, clip=5.0
        ),
        schedule=Schedule(warmup=min(1.0, epochs / 10), final=0.01),
        epochs=epochs,
        batch_size=min(batch, max(1, pictures)),
        layer_decay=None,
    )
