"""What passes between a task and those who ask it: rows, readers, metrics, panels."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeAlias, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from zoohub.core.counting import counted
from zoohub.errors import DataError
from zoohub.outputs import Form
from zoohub.running import Array
from zoohub.tasks.results import AnyPrediction
from zoohub.tasks.samples import Samples, Splits

if TYPE_CHECKING:
    from onnx import ModelProto

    from zoohub.tasks.recipe import Recipe

Arrays: TypeAlias = Mapping[str, Array]
Random: TypeAlias = np.random.Generator
Figures: TypeAlias = dict[str, Any]  # JSON-ready
Note: TypeAlias = Callable[[str, str], object]  # told of (name, reason) of what cannot be read
# The inputs and the targets of a micro-batch, in the order the network and the loss take them.
MicroBatch: TypeAlias = tuple[tuple[Array, ...], tuple[Array, ...]]

R = TypeVar("R", bound="Recipe")
T = TypeVar("T")
D = TypeVar("D")


@dataclass(frozen=True)
class Figure:
    """A metric: its key in results, what people call it, whether more is better."""

    key: str
    title: str
    higher: bool = True


@dataclass(frozen=True)
class Row:
    """One input of a network, as arrays by name without the batch axis, and how to get back from
    there to the sample (`geometry`: whatever the task's `interpret` needs)."""

    inputs: Arrays
    geometry: object = None


# What makes an input, whatever it is in its task, the network's rows.
Prepare: TypeAlias = Callable[[Any], tuple[Row, ...]]


@dataclass(frozen=True)
class TrainingRow:
    """One input of a network in training, and what it is to learn there: arrays by name."""

    inputs: Arrays
    targets: Arrays


class TrainingRows(Protocol):
    """Makes the training rows of an epoch, in several threads."""

    def __call__(self, place: int, random: Random, note: Note, epoch: int) -> TrainingRow:
        """The row of the sample at `place`, changed by `random`.

        A sample that cannot be read gives its place to the next that can, and `note` is told.

        Raises:
            DataError: none at all can be read.
        """
        ...


@runtime_checkable
class Arranged(Protocol):
    """Training rows that choose which samples are together in a batch."""

    def arranged(self, order: NDArray[np.int64], batch: int, random: Random) -> NDArray[np.int64]:
        """An epoch's samples, shuffled, in an order in which each `batch` of them is a step's."""
        ...


class Metric(ABC):
    """Figures of results on samples, gathered batch by batch."""

    @abstractmethod
    def add(self, form: Form, rows: Sequence[Row], targets: Sequence[Any]) -> None:
        """Count a batch: canonical outputs, the rows they are of, what is true of the samples."""

    @abstractmethod
    def figures(self) -> Figures:
        """What was found: `count`, the task's figures by key, and `per_class`.

        The last has a figure for each class's name, or several by key with the chief one first.

        Raises:
            DataError: there is nothing to measure.
        """


class Reader(ABC, Generic[D, T]):
    """A format of data: `data` is its dataclass in a recipe, `says` what it is in a few words.

    `dataset` is what the data set is called where it is always the same.
    """

    data: type[D]
    says: str
    dataset: str | None = None

    @abstractmethod
    def claims(self, source: Path) -> bool:
        """Whether what the user named is in this format. Looks at the thing, not its name alone."""

    @abstractmethod
    def describe(self, source: Path) -> D:
        """What a recipe says of it."""

    @abstractmethod
    def read(self, data: D, *, measuring: bool = False) -> Splits[T]:
        """The samples, split; to train on, or only to measure a network on (`measuring`).

        Raises:
            DataError: they cannot be read, or there is nothing to train on or measure with.
        """

    def held_out(self) -> Splits[T] | None:
        """What a network is measured on where the data is only named, if not all of it."""
        return None


Readers: TypeAlias = tuple[Reader[Any, T], ...]


class Document(ABC):
    """Another program's file of what was found in all inputs, as text, made a piece at a time."""

    says: str  # what it is, for a command's help

    @abstractmethod
    def begin(self) -> str:
        """What stands before the first input's."""

    @abstractmethod
    def add(self, number: int, prediction: AnyPrediction) -> str:
        """What one input gives, the first being number 1."""

    @abstractmethod
    def end(self) -> str:
        """What stands behind the last."""


class InFile(ABC):
    """A last step of `interpret` that an ONNX file may take itself (`export --nms`)."""

    outputs: tuple[str, ...]  # what the file then gives
    confidence: float  # what scores below it is left out
    leaves_out: str | None = None  # what of the task's rules the file cannot do, in a sentence

    @abstractmethod
    def append(self, model: ModelProto, layout: str) -> None:
        """Replace a model's outputs, in place. `layout` is its input's, NCHW or NHWC.

        Raises:
            ExportError: they are not what this takes.
        """

    @abstractmethod
    def expected(self, form: Form) -> dict[str, Array]:
        """What the file should give, from what the network gives."""


@dataclass(frozen=True)
class Finished(Generic[R, T]):
    """A finished run, for its page: `metric` and `figures` are those of the kept weights on
    `samples`, the part called `part` (None: nothing was measured); `predict` gives the results
    on some of its samples, with their places."""

    recipe: R
    classes: tuple[str, ...]
    part: str
    samples: Samples[T]
    metric: Metric | None
    figures: Figures | None
    predict: Callable[[int], Sequence[tuple[int, tuple[Any, ...]]]]


@dataclass(frozen=True)
class Panels:
    """What a task adds to a run's page and folder.

    `figures` are titles and texts for the table at the top, `sections` HTML, `files` texts by
    name, written beside the page.
    """

    figures: Mapping[str, str] = field(default_factory=dict)
    sections: Sequence[str] = ()
    style: str = ""
    files: Mapping[str, str] = field(default_factory=dict)


# A panel's title -> its lines' names -> the keys of the history's figures.
Curve: TypeAlias = Mapping[str, Mapping[str, str]]


def check_count(count: int, names: tuple[str, ...] | None) -> None:
    """See that a network has as many classes as are known by name.

    Raises:
        DataError: it has not.
    """
    if names is not None and len(names) != count:
        raise DataError(
            f"the network gives {counted(count, 'class', 'classes')} but "
            f"{counted(len(names), 'class name is', 'class names are')} known; "
            "the weights' file, or the checkpoint's entry in the index, names other classes than "
            "the network has"
        )
