"""A detector's recipe: what `zoohub.training.recipe` is for classifiers, with boxes.

The parts that are the same (optimiser, schedule, input, network) are the same classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import yaml

from zoohub.errors import RecipeError
from zoohub.training.binding import bind, number, override, parse, plain
from zoohub.training.detection.augment import BoxAugment
from zoohub.training.detection.loss import LossWeights
from zoohub.training.recipe import Input, Network, Optimizer, Schedule

TASK = "object-detection"


@dataclass(frozen=True, slots=True)
class ScenesData:
    """Scenes composed from the UCI digits (see `zoohub.training.detection.scenes`).

    `train`, `validation` and `test` count the scenes of each part, `size` is their side in
    pixels.
    """

    kind: Literal["digit-scenes"]
    size: int = number(96, low=32)
    train: int = number(2000, low=1)
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


@dataclass(frozen=True, slots=True)
class DetectionRecipe:
    """One training run of a detector; see `zoohub.training.recipe.Recipe` for what they share.

    `most_boxes` is how many boxes a training picture has at most (of more, the largest stay).
    `loss` weighs the parts of YOLOv5's loss.
    """

    task: Literal["object-detection"]
    model: str
    data: BoxData
    checkpoint: str | None = None
    network: Network | None = None
    input: Input | None = None
    augment: BoxAugment = field(default_factory=BoxAugment)
    loss: LossWeights = field(default_factory=LossWeights)
    most_boxes: int = number(64, low=1)
    optimizer: Optimizer = field(default_factory=Optimizer)
    schedule: Schedule = field(default_factory=Schedule)
    epochs: int = number(10, low=1)
    batch_size: int = number(16, low=1)
    micro_batch: int | None = number(None, low=1)
    label_smoothing: float = number(0.0, low=0.0, high=0.9)
    ema: float | None = number(None, low=0.0, high=1.0)
    frozen: tuple[str, ...] = ()
    evaluate_every: int = number(1, low=1)
    mode: Literal["graph", "pynative"] = "graph"
    keep: Literal["best", "last"] = "best"
    seed: int = number(0, low=0)


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
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path}: the recipe cannot be read: {error}") from None
    return parse_detection_recipe(text, str(path), assignments)


def parse_detection_recipe(
    text: str, name: str = "recipe", assignments: Sequence[str] = ()
) -> DetectionRecipe:
    """The recipe in YAML `text`; `name` stands for the file in errors."""
    root = parse(text, name)
    override(root, assignments)
    return bind(root, DetectionRecipe)


def detection_recipe_text(recipe: DetectionRecipe) -> str:
    """YAML of `recipe` with every value spelled out."""
    return yaml.safe_dump(plain(recipe), sort_keys=False, allow_unicode=True)
