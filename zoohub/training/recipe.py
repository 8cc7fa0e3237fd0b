"""A recipe: everything a training run depends on, in one file that a person can read and change.

`read_recipe` is strict; `recipe_text` writes one back with every value spelled out, so that the
copy in a run's folder reproduces the run whatever the defaults become.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import yaml

from zoohub.training.binding import number, plain, read, read_text


@dataclass(frozen=True, slots=True)
class DigitsData:
    """The 1,797 UCI digits that scikit-learn carries (8×8 pixels), in five folds.

    `folds: interleaved` puts picture i into fold i % 5; `blocks` cuts five contiguous blocks, of
    which fold 4 is the last 360. `train`, `validation` and `test` name folds, `classes` keeps
    only some digits (all of them: None), and `part` keeps that share of the training pictures,
    evenly over the classes. zoohub ships fold 0 of `interleaved` and trains nothing on it.
    """

    kind: Literal["digits"]
    folds: Literal["interleaved", "blocks"] = "interleaved"
    train: tuple[int, ...] = (2, 3, 4)
    validation: tuple[int, ...] = (1,)
    test: tuple[int, ...] = ()
    classes: tuple[int, ...] | None = None
    part: float = number(1.0, low=0.0, high=1.0)

    def __post_init__(self) -> None:
        used = (*self.train, *self.validation, *self.test)
        if len(set(used)) != len(used) or not set(used) <= set(range(5)) or not self.train:
            raise ValueError("train, validation and test name different folds of 0 to 4")


@dataclass(frozen=True, slots=True)
class FolderData:
    """Pictures in a folder a class, or with `train/` and `val/` (and `test/`) above those.

    Without `val/` or `validation/`, the share `validation` of each class is split off by `seed`.
    """

    kind: Literal["folder"]
    path: str
    validation: float = number(0.2, low=0.0, high=0.9)
    seed: int = 0


@dataclass(frozen=True, slots=True)
class TableData:
    """A CSV or JSON Lines file with the columns `path`, `label` and perhaps `split`.

    Paths are relative to the file. `split` is train, val or test; where the column is missing
    the share `validation` of each class is split off by `seed`.
    """

    kind: Literal["table"]
    path: str
    validation: float = number(0.2, low=0.0, high=0.9)
    seed: int = 0


Data = DigitsData | FolderData | TableData


@dataclass(frozen=True, slots=True)
class Network:
    """A network by its builder, for a model that no index describes."""

    builder: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    head: str | None = None


@dataclass(frozen=True, slots=True)
class Input:
    """The input contract; see `zoohub.manifest.entry.InputContract` for the units."""

    size: tuple[int, int]
    colour: Literal["RGB", "BGR", "L"] = "RGB"
    value_range: Literal["0..1", "0..255"] = "0..1"
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    interpolation: Literal["nearest", "bilinear", "bicubic", "area"] = "bilinear"
    crop: float | None = None
    resize: Literal["crop", "letterbox", "stretch"] = "crop"


@dataclass(frozen=True, slots=True)
class Augment:
    """Random changes of the training pictures; the defaults change nothing.

    `area` is the range of the part of the picture a random crop keeps (1 is all), `flip` the
    chance of a left-right mirror image, `rotate` the largest angle in degrees, `shift` the
    largest way as a part of the picture's side, `zoom` the largest change of scale (0.1: 0.9 to
    1.1), `shear` the largest angle in degrees, `colour` the largest relative change of
    brightness, contrast and saturation, `erase` the chance of a blanked rectangle. `mixup` and
    `cutmix` are the alpha of their Beta distributions (Zhang et al. 2017, Yun et al. 2019); with
    both, each batch takes one of them by the toss of a coin.
    """

    area: tuple[float, float] | None = None
    flip: float = number(0.0, low=0.0, high=1.0)
    rotate: float = number(0.0, low=0.0, high=180.0)
    shift: float = number(0.0, low=0.0, high=1.0)
    zoom: float = number(0.0, low=0.0, high=0.9)
    shear: float = number(0.0, low=0.0, high=60.0)
    colour: float = number(0.0, low=0.0, high=1.0)
    erase: float = number(0.0, low=0.0, high=1.0)
    mixup: float = number(0.0, low=0.0)
    cutmix: float = number(0.0, low=0.0)

    def __post_init__(self) -> None:
        if self.area is not None and not 0 < self.area[0] <= self.area[1] <= 1:
            raise ValueError("area must be two rising numbers above 0 and up to 1")


@dataclass(frozen=True, slots=True)
class Optimizer:
    """`lr` is for the global batch; `clip` bounds the gradient's global L2 norm (None: no bound).

    `sgd` is momentum SGD with L2 added to the gradient; `adamw` decouples the decay (Loshchilov
    and Hutter 2019). Neither decays biases, normalisation parameters or other vectors.
    """

    name: Literal["sgd", "adamw"] = "sgd"
    lr: float = number(0.01, low=0.0)
    weight_decay: float = number(0.0, low=0.0)
    momentum: float = number(0.9, low=0.0, high=1.0)
    nesterov: bool = False
    betas: tuple[float, float] = number((0.9, 0.999), low=0.0, below=1.0)
    epsilon: float = number(1e-8, low=0.0)
    clip: float | None = number(None, above=0.0)


@dataclass(frozen=True, slots=True)
class Schedule:
    """From 0 up to `lr` over `warmup` epochs, then down to `final` × lr by the last step."""

    name: Literal["cosine", "linear", "constant"] = "cosine"
    warmup: float = number(0.0, low=0.0)
    final: float = number(0.0, low=0.0, high=1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRun:
    """What the recipes of all tasks share.

    `checkpoint` is where the weights come from: an id of the model's, `default`, a path, or None
    for a fresh start. `network` and `input` default to the checkpoint's own. `batch_size` is
    global: over all workers and accumulated steps; `micro_batch` is what one worker computes at
    once (None: its share of the whole batch). `frozen` (name prefixes) and `layer_decay` (the
    factor on the learning rate from one block to the one before it) hold back the early layers.
    `ema` is the decay of the moving average of the weights, which is then what is evaluated and
    kept. `keep` says which epoch's weights are the run's: `best` on the validation part, or the
    `last`.
    """

    model: str
    checkpoint: str | None = None
    network: Network | None = None
    input: Input | None = None
    optimizer: Optimizer = field(default_factory=Optimizer)
    schedule: Schedule = field(default_factory=Schedule)
    epochs: int = number(10, low=1)
    batch_size: int = number(32, low=1)
    micro_batch: int | None = number(None, low=1)
    label_smoothing: float = number(0.0, low=0.0, high=0.9)
    ema: float | None = number(None, low=0.0, below=1.0)
    frozen: tuple[str, ...] = ()
    layer_decay: float | None = number(None, above=0.0, high=1.0)
    amp: Literal["O0", "O1", "O2", "O3"] = "O0"
    mode: Literal["graph", "pynative"] = "graph"
    mempool_block_size: str | None = None
    sync_batch_norm: bool = False
    keep: Literal["best", "last"] = "best"
    seed: int = number(0, low=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe(TrainingRun):
    """One training run of a classifier."""

    data: Data
    augment: Augment = field(default_factory=Augment)


def read_recipe(path: str | Path, assignments: Sequence[str] = ()) -> Recipe:
    """The recipe in the YAML file `path`, with `KEY.KEY=VALUE` assignments put in.

    Raises:
        RecipeError: the file cannot be read, or a key is unknown, missing, of a wrong type or
            out of bounds; names the file, line and key.
    """
    return read(path, Recipe, assignments)


def parse_recipe(text: str, name: str = "recipe", assignments: Sequence[str] = ()) -> Recipe:
    """The recipe in YAML `text`; `name` stands for the file in errors. Raises as `read_recipe`."""
    return read_text(text, Recipe, name, assignments)


def recipe_text(recipe: TrainingRun) -> str:
    """YAML of `recipe` with every value spelled out; parsing it gives the same recipe back."""
    return yaml.safe_dump(plain(recipe), sort_keys=False, allow_unicode=True)
