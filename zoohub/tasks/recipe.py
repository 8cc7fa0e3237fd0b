"""A recipe: everything a training run depends on, in one file that a person can read and change.

Here is what the recipes of all tasks share; each task's own adds its `data` and what else it has.
`recipe_text` writes one with every value spelled out, so that the copy in a run's folder
reproduces the run whatever the defaults become.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, cast

import yaml

from zoohub.core.binding import number, plain
from zoohub.manifest.entry import (
    NESTED_CONTRACTS,
    BoxContract,
    LineContract,
    RegionContract,
    Resize,
    TextContract,
)

ClassWeights: TypeAlias = Literal["balanced"] | Mapping[str, float] | tuple[float, ...]

# They came later: where they are not used, a recipe's text stays as it was.
_WRITTEN_WHERE_USED = ("early_stopping", "class_weights", "start_ema", "text", "freeze", "views")


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
    resize: Resize = "crop"
    align: Literal["centre", "corner"] = "centre"
    fill: tuple[int, ...] | None = number(None, low=0, high=255)
    regions: RegionContract | None = None
    boxes: BoxContract | None = None
    turned_above: float | None = None
    line: LineContract | None = None


@dataclass(frozen=True, slots=True)
class Optimizer:
    """`lr` is for the global batch; `clip` bounds the gradient's global L2 norm (None: no bound).

    `sgd` is momentum SGD with L2 added to the gradient; `adamw` decouples the decay (Loshchilov
    and Hutter 2019). Neither decays biases, normalisation parameters or other vectors.
    """

    name: Literal["sgd", "adamw"] = "sgd"
    lr: float = number(0.01, above=0.0)
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
class Recipe:
    """What the recipes of all tasks share.

    `checkpoint` is where the weights come from: an id of the model's, `default`, a path, or None
    for a fresh start; `start_ema` takes the moving average that is in that file, in place of the
    weights themselves. `network` and `input` (of a network that reads text: `text`) default to the
    checkpoint's own. `batch_size` is
    global: over all workers and accumulated steps; `micro_batch` is what one worker computes at
    once (None: its share of the whole batch). `frozen` (name prefixes) and `layer_decay` (the
    factor on the learning rate from one block to the one before it) hold back the early layers.
    `freeze: backbone` trains the head alone, on features that are computed once, of `views` random
    variants a picture (None: one).
    `ema` is the decay of the moving average of the weights, which is then what is evaluated and
    kept. `keep` says which epoch's weights are the run's: `best` on the validation part, or the
    `last`. `early_stopping` ends the run once that many measured epochs in a row were no better
    than the best, by what the task puts first (None: never).
    """

    model: str
    checkpoint: str | None = None
    network: Network | None = None
    input: Input | None = None
    text: TextContract | None = None
    optimizer: Optimizer = field(default_factory=Optimizer)
    schedule: Schedule = field(default_factory=Schedule)
    epochs: int = number(10, low=1)
    batch_size: int = number(32, low=1)
    micro_batch: int | None = number(None, low=1)
    label_smoothing: float = number(0.0, low=0.0, high=0.9)
    ema: float | None = number(None, low=0.0, below=1.0)
    frozen: tuple[str, ...] = ()
    freeze: Literal["backbone"] | None = None
    views: int | None = number(None, low=1)
    layer_decay: float | None = number(None, above=0.0, high=1.0)
    amp: Literal["O0", "O1", "O2", "O3"] = "O0"
    mode: Literal["graph", "pynative"] = "graph"
    mempool_block_size: str | None = None
    sync_batch_norm: bool = False
    keep: Literal["best", "last"] = "best"
    early_stopping: int | None = number(None, low=1)
    start_ema: bool | None = None
    seed: int = number(0, low=0, high=(1 << 32) - 1)  # as MindSpore takes it


class NoRecipe(Recipe):
    """The recipe of a task that has none: nobody makes one."""


def planned_epochs(steps: int, count: int, batch: int, *, fewest: int, most: int) -> int:
    """How many epochs make about `steps` steps over `count` samples, from `fewest` to `most`.

    >>> planned_epochs(1500, 800, 16, fewest=5, most=100)
    30
    """
    return min(most, max(fewest, round(steps / max(1, count // batch))))


def recipe_text(recipe: Recipe) -> str:
    """YAML of `recipe` with every value spelled out; parsing it gives the same recipe back."""
    values = {
        key: _written(key, value)
        for key, value in cast("dict[str, object]", plain(recipe)).items()
        if value is not None or key not in _WRITTEN_WHERE_USED
    }
    return yaml.safe_dump(values, sort_keys=False, allow_unicode=True)


# What only some pictures' inputs have, and what it is of the others: not written.
_LATER = {
    "align": "centre", "fill": None, "regions": None, "boxes": None, "turned_above": None,
    "line": None,
}  # fmt: skip


def _written(key: str, value: object) -> object:
    """The parts that a loss has, and of an input what it has of `_LATER`."""
    if not isinstance(value, dict) or key not in ("loss", "input"):
        return value
    if key == "loss":
        return _known(value)
    used = {
        name: part for name, part in value.items() if name not in _LATER or part != _LATER[name]
    }
    nested = {name: used[name] for name in NESTED_CONTRACTS if isinstance(used.get(name), dict)}
    return {**used, **{name: _known(part) for name, part in nested.items()}}


def _known(values: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in values.items() if value is not None}


def data_of(recipe: Recipe) -> object:
    """The recipe's `data`: every task's own recipe has one."""
    data: object = recipe.data  # type: ignore[attr-defined]
    return data
