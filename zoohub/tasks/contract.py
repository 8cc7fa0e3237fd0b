"""What a task is: the one contract that prediction, evaluation, training and export ask.

A task is a folder `tasks/<folder>/` whose `task.py` holds `TASK`, an instance of a `Task`
(`finding.py` finds them). The way of a sample, with who does what:

    input --prepare--> rows --collate--> batch --infer--> raw outputs --the family's--> form
      form, rows --interpret--> results --show--> JSON, lines, a drawing
      form, rows, targets --metric--> figures
    sample --training_rows--> rows --step_batches--> micro-batches --loss--> a step

The pipeline never names a task: whatever differs between two is a member here. `tests/tasks/`
holds every task to it with one test.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from zoohub.errors import RecipeError
from zoohub.manifest.entry import InputContract, NetworkSpec
from zoohub.outputs import Form
from zoohub.running import Array, Runner
from zoohub.tasks.described import Described
from zoohub.tasks.parts import (
    Arrays,
    Curve,
    Document,
    Figure,
    Figures,
    Finished,
    InFile,
    Metric,
    MicroBatch,
    Note,
    Panels,
    Prepare,
    Random,
    Reader,
    Readers,
    Row,
    TrainingRow,
    TrainingRows,
    check_count,
)
from zoohub.tasks.results import AnyPrediction, Json, Result
from zoohub.tasks.samples import Samples, Splits

if TYPE_CHECKING:
    from mindspore import nn
    from PIL import Image

    from zoohub.networks.family import LossRequest
    from zoohub.tasks.recipe import Recipe

__all__ = [
    "AnyReader", "AnyTask", "Arrays", "Curve", "Document", "Figure", "Figures", "Finished",
    "InFile", "Metric", "MicroBatch", "Note", "Panels", "Prepare", "Random", "Reader",
    "Readers", "Row", "Task", "TrainingRow", "TrainingRows", "check_count",
]  # fmt: skip

R = TypeVar("R", bound="Recipe")
T = TypeVar("T")


class Task(Described, ABC, Generic[R, T]):
    """One kind of task. See the module."""

    # What learns is not needed to predict, and takes long to import: these are properties.
    @property
    @abstractmethod
    def recipe(self) -> type[R]:
        """Its recipes."""

    @property
    @abstractmethod
    def readers(self) -> Readers[T]:
        """What reads its data; the first that claims it."""

    # -- prediction ------------------------------------------------------------------------
    @abstractmethod
    def prepare(self, contract: InputContract, options: object = None) -> Prepare:
        """What makes an input the network's: mostly one row, but a long text has several.

        `options` are those of predict; None: their defaults.

        Raises:
            DataError: the contract is incomplete; when called: the input cannot be read.
        """

    def collate(self, rows: Sequence[Row]) -> dict[str, Array]:
        """Rows as a batch: stacked; a task whose rows differ in shape pads."""
        names = rows[0].inputs
        return {name: np.stack([row.inputs[name] for row in rows]) for name in names}

    def infer(
        self,
        runners: Mapping[str, Runner],
        batch: Arrays,
        contract: InputContract,
        rows: Sequence[Row] = (),
    ) -> dict[str, Array]:
        """The raw outputs: one call of the network called `""`, unless the task searches, with the
        network's parts. `rows` are those of the batch."""
        (runner,) = runners.values()
        if len(runner.inputs) == len(batch) == 1:  # an exported file may call its input otherwise
            batch = dict(zip(runner.inputs, batch.values(), strict=True))
        return runner.run(batch)

    @abstractmethod
    def interpret(
        self, form: Form, rows: Sequence[Row], names: tuple[str, ...] | None, options: Any
    ) -> list[tuple[Any, ...]]:
        """The results of each row, best first; `names` are the classes, None where unknown.

        Raises:
            DataError: the form or the number of classes is not what it should be.
        """

    def merge(self, parts: Sequence[tuple[Any, ...]]) -> tuple[Any, ...]:
        """The results of an input from those of its rows."""
        (only,) = parts
        return only

    def lines(self, results: Sequence[Result]) -> list[str]:
        """Results on a terminal."""
        return [result.line() for result in results] or ["nothing found"]

    def draw(self, input: Any, results: Sequence[Any]) -> Image.Image:
        """The input with its results drawn on it, where `drawings` says there is such a thing."""
        raise NotImplementedError

    def illustrate(self, input: Any, results: Sequence[Any]) -> Image.Image | None:
        """What a notebook shows beside the results: the drawing, else the input where that is a
        picture; None: nothing.

        Raises:
            DataError: the input cannot be read any more.
        """
        if self.drawings is not None:
            return self.draw(input, results)
        if self.kind != "picture":
            return None
        from PIL import Image

        from zoohub.inputs.picture import read_image

        return Image.fromarray(read_image(input))

    def formatted(
        self, format: str, prediction: AnyPrediction, categories: Sequence[int] | None
    ) -> list[Json]:
        """Rows of one of `formats`; `categories` are the data set's numbers of the classes, None
        where they are not known."""
        raise NotImplementedError

    def extent(self, row: Row) -> tuple[int, int] | None:
        """(width, height) of the upright picture that a row is of, where `documents` need it."""
        return None

    # -- evaluation ------------------------------------------------------------------------
    @abstractmethod
    def metric(self, classes: tuple[str, ...]) -> Metric:
        """An empty metric of a network with these classes."""

    def measurable(self, samples: Samples[T]) -> bool:
        """Whether there is anything to measure a network on."""
        return len(samples) > 0

    @abstractmethod
    def present(self, samples: Samples[T]) -> Iterable[int]:
        """The classes that samples have, by index; some may come more than once."""

    @abstractmethod
    def renumbered(self, samples: Samples[T], places: NDArray[np.int64]) -> Samples[T]:
        """The samples with class i as class `places[i]`."""

    def class_names(
        self, form: Form, found: tuple[str, ...], known: tuple[str, ...] | None = None
    ) -> tuple[str, ...]:
        """What to call the classes of a network without names: as the data does. A task that has
        no classes of its own is asked of `known` names too, where the data has some."""
        return found

    def warn(self, confidence: float | None, contract: InputContract) -> tuple[str, ...]:
        """What to say of a measure by a file that leaves out what scores below `confidence`."""
        return ()

    # -- training --------------------------------------------------------------------------
    @abstractmethod
    def default_recipe(
        self, model: str, checkpoint: str | None, data: Any, contract: InputContract, count: int
    ) -> R:
        """Sensible settings for `count` samples to train on, from a checkpoint or afresh."""

    def suited(self, recipe: R, network: NetworkSpec) -> R:
        """A default recipe with what the network asks for, whatever the data is."""
        return recipe

    @abstractmethod
    def training_rows(
        self, samples: Samples[T], contract: InputContract, recipe: R
    ) -> TrainingRows:
        """What makes the samples training rows."""

    def step_batches(
        self, rows: TrainingRow, recipe: R, classes: int, random: Random, parts: int
    ) -> list[MicroBatch]:
        """A step's rows, stacked, as `parts` micro-batches: cut into parts, in the rows' order.
        What mixes rows does so here."""
        inputs, targets = (
            zip(*(np.split(array, parts) for array in arrays.values()), strict=True)
            for arrays in (rows.inputs, rows.targets)
        )
        return list(zip(inputs, targets, strict=True))

    def step_figures(self, outputs: Any, rows: TrainingRow) -> dict[str, float]:
        """What is told besides the loss, summed over a step's rows; an output a micro-batch."""
        return {}

    def evaluates(self, recipe: R, epoch: int) -> bool:
        """Whether epoch `epoch` (from 1) is measured; the last always is."""
        return True

    @abstractmethod
    def loss(self, net: nn.Cell, request: LossRequest) -> tuple[nn.Cell, nn.Cell]:
        """The cell to train (`net`, or a shell around it) and its loss, where the network's family
        has none of its own."""

    def loss_weights(self, recipe: R) -> Mapping[str, float]:
        """What the recipe says of the loss's parts."""
        return {}

    def weighed(self, recipe: R, weights: Mapping[str, float]) -> R:
        """The recipe with the family's own `loss_weights` spelled out where it says nothing."""
        return recipe

    def settled(self, recipe: R, splits: Splits[T]) -> R:
        """The recipe with what follows from the data spelled out. Raises RecipeError: it does
        not go with the data."""
        return recipe

    def fitted(
        self, recipe: R, splits: Splits[T], network: NetworkSpec, known: tuple[str, ...] | None
    ) -> Splits[T]:
        """The samples for that network, whose classes are called `known` (None: nobody says):
        with the classes that its head is to have. Raises RecipeError: they do not go together."""
        return splits

    def check_freezing(self) -> None:
        """That a head can be trained on features that are kept (`freeze`), by some recipe. Raises
        RecipeError: not in this task."""
        if not self.freezes:
            raise RecipeError(
                "freeze: features are kept to train a classifier of pictures, not to "
                f"{self.title}; name the parts that shall not learn in frozen"
            )

    def check_freeze(self, recipe: R) -> None:
        """The same, by this recipe. Raises RecipeError: it cannot."""
        self.check_freezing()

    def without_changes(self, recipe: R) -> R:
        """The recipe without random changes of the samples."""
        return recipe

    # -- export ----------------------------------------------------------------------------
    def in_file(self, contract: InputContract | None) -> InFile | None:
        """What an ONNX file of a network with this contract (None: unknown) may do itself."""

    def comparable(self, name: str, output: Array) -> tuple[Array, ...]:
        """A file's output in parts of one unit each, to be compared with the network's."""
        return (output,)

    # -- a run's folder --------------------------------------------------------------------
    @abstractmethod
    def split_value(self, target: T, classes: tuple[str, ...]) -> object:
        """What that column says of a sample."""

    @abstractmethod
    def panels(self, finished: Finished[R, T]) -> Panels:
        """What the run's page shows of the results."""


AnyTask: TypeAlias = Task[Any, Any]
AnyReader: TypeAlias = Reader[Any, Any]
