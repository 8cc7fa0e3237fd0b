"""A detector's recipe: what `zoohub.training.recipe` is for classifiers, with boxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import yaml

from zoohub.training.binding import number, read, read_text
from zoohub.training.detection.augment import BoxAugment
from zoohub.training.detection.loss import LossWeights
from zoohub.training.recipe import TrainingRun

TASK = "object-detection"


@dataclass(frozen=True, slots=True)
class ScenesData:
    """Scenes composed from the UCI digits (see `zoohub.training.detection.scenes`).

    `train`, `validation` and `test` count the scenes of each part, `size` is their side in
    pixels.
    """

    kind: Literal["digit-scenes"]
    size: int = number(128, low=32)
    train: int = number(4000, low=1)
    validation: int = number(200, low=0)
    test: int = number(400, low=0)


@dataclass(frozen=True, slots=True)
class BoxesData:
    """A data.yaml in YOLO's format (`train`, `val`, perhaps `test`, `names`) or a COCO .json file.

    In a data.yaml, `train` and `val` may be COCO .json files too. Beside a lone
    `…train….json`, `…val….json` is taken for validation. Where there is no such part, the share
    `validation` of the pictures is split off by `seed`.
    """

    kind: Literal["boxes"]
    path: str
    validation: float = number(0.2, low=0.0, high=0.9)
    seed: int = 0


BoxData = ScenesData | BoxesData


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectionRecipe(TrainingRun):
    """One training run of a detector.

    `most_boxes` is how many boxes a training picture has at most (of more, the largest stay).
    `loss` weighs the parts of YOLOv5's loss. `evaluate_every` counts epochs.
    """

    task: Literal["object-detection"]
    data: BoxData
    augment: BoxAugment = field(default_factory=BoxAugment)
    loss: LossWeights = field(default_factory=LossWeights)
    most_boxes: int = number(64, low=1)
    batch_size: int = number(16, low=1)
    evaluate_every: int = number(1, low=1)


def is_detection(path: str | Path) -> bool:
    """Whether the recipe file at `path` is a detector's (`task: object-detection`)."""
    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return False  # reading it as a recipe says what is wrong
    return isinstance(content, dict) and content.get("task") == TASK


def read_detection_recipe(path: str | Path, assignments: Sequence[str] = ()) -> DetectionRecipe:
    """The detector's recipe in the YAML file `path`, with `KEY.KEY=VALUE` assignments put in.

    Raises:
        RecipeError: as `zoohub.training.read_recipe`.
    """
    return read(path, DetectionRecipe, assignments)


def parse_detection_recipe(
    text: str, name: str = "recipe", assignments: Sequence[str] = ()
) -> DetectionRecipe:
    """The recipe in YAML `text`; `name` stands for the file in errors."""
    return read_text(text, DetectionRecipe, name, assignments)
