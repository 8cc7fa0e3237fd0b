"""A text detector's recipe: its data, its random changes, and settings for the data's size."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from zoohub.core.binding import number
from zoohub.tasks.recipe import Optimizer, Recipe, Schedule, planned_epochs


@dataclass(frozen=True, slots=True)
class TextsData:
    """Pictures with outlines of text: a folder, or a file of labels for many pictures.

    Without a part to validate on, the share `validation` of the pictures is split off by `seed`.
    """

    kind: Literal["texts"]
    path: str
    validation: float = number(0.2, low=0.0, high=0.9)
    seed: int = number(0, low=0)


@dataclass(frozen=True, slots=True)
class TextAugment:
    """Random changes of the training pictures.

    `scale` is the range of the picture's size beside the one that fits into the input; `turn` the
    most degrees that it is turned either way; `colour` the largest relative change of brightness
    and contrast.
    """

    scale: tuple[float, float] = (1.0, 1.0)
    turn: float = number(0.0, low=0.0, high=180.0)
    colour: float = number(0.0, low=0.0, high=1.0)

    def __post_init__(self) -> None:
        if not 0.1 <= self.scale[0] <= self.scale[1] <= 10:
            raise ValueError("scale must be two rising numbers from 0.1 to 10")


@dataclass(frozen=True, slots=True, kw_only=True)
class TextDetectionRecipe(Recipe):
    """One training run of a text detector. `shrink` is how much smaller the inner part of a text
    is that the network learns (DBNet: 0.4); `evaluate_every` counts epochs."""

    task: Literal["scene-text-detection"]
    data: TextsData
    augment: TextAugment = field(default_factory=TextAugment)
    shrink: float = number(0.4, above=0.0, below=1.0)
    batch_size: int = number(8, low=1)
    evaluate_every: int = number(1, low=1)


def default_recipe(
    model: str, checkpoint: str | None, data: TextsData, pictures: int
) -> TextDetectionRecipe:
    """Sensible settings for `pictures` training pictures: about 1,500 steps, 5 to 100 epochs.

    Pictures between their size and three times it, as DBNet is trained, and turned a little; a
    pretrained network learns gently.
    """
    batch = 8 if pictures >= 32 else 4
    epochs = planned_epochs(1500, pictures, batch, fewest=5, most=100)
    return TextDetectionRecipe(
        task="scene-text-detection",
        model=model,
        checkpoint=checkpoint,
        data=data,
        augment=TextAugment(scale=(0.75, 2.0), turn=10.0, colour=0.2),
        optimizer=Optimizer(
            name="adamw", lr=2e-3 if checkpoint is None else 3e-4, weight_decay=0.01, clip=10.0
        ),
        schedule=Schedule(warmup=min(1.0, epochs / 10), final=0.01),
        epochs=epochs,
        batch_size=min(batch, max(1, pictures)),
        layer_decay=None,
    )
