"""What predicts: a runner with its task, input contract, class names and the form it gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from zoohub.errors import DataError, UsageError
from zoohub.manifest.entry import InputContract, NetworkSpec
from zoohub.models.provenance import Provenance
from zoohub.networks.families import find_family
from zoohub.outputs import Form, Read
from zoohub.outputs.reading import choose_reading
from zoohub.predicting.compiled_parts import part_runners
from zoohub.predicting.engines import Engine
from zoohub.running import CellRunner, Mode, Runner
from zoohub.tasks.contract import AnyTask, Prepare, Row
from zoohub.tasks.finding import task_for
from zoohub.tasks.texts import lengthened, text_contract

if TYPE_CHECKING:
    from mindspore import nn


@dataclass(frozen=True)
class Predictor:
    """A network ready to predict: `names` are its classes, None where they are not known.

    `read` brings what it gives into its canonical form. `confidence` is the score that a file
    with its own NMS lets no box below of; else None. `parts` are what a task that searches asks
    instead of the whole network, by their names. `length` is how many tokens a file takes that
    was exported for texts of one length.
    """

    task: AnyTask
    runner: Runner
    read: Read
    input: InputContract
    names: tuple[str, ...] | None
    engine: Engine = "mindspore"
    confidence: float | None = None
    parts: Mapping[str, Runner] = field(default_factory=dict)
    length: int | None = None

    @property
    def computing(self) -> Engine:
        """The engine, also where that is settled with the first batch; MindSpore where it runs any
        part."""
        runners = tuple(self.parts.values()) or (self.runner,)
        engines: set[Engine] = {getattr(runner, "engine", self.engine) for runner in runners}
        return "mindspore" if "mindspore" in engines else "onnxruntime"

    def prepare(self, options: object) -> Prepare:
        """What makes an input the network's rows; `options` are the task's. Raises as `Task`'s."""
        return self.task.prepare(self.input, options)

    def infer(self, rows: Sequence[Row]) -> Form:
        """What the network gives for these rows, in its canonical form."""
        runners = self.parts or {"": self.runner}
        batch = self.task.collate(rows)
        if self.length is not None:
            batch = lengthened(batch, self.length, text_contract(self.input))
        raw = self.task.infer(runners, batch, self.input, rows)
        return self.read(raw, self.input.size or (0, 0))


def predictor_of(net: nn.Cell, mode: str | None = None) -> Predictor:
    """The predictor of a network that `zoohub.load` made, in MindSpore.

    Raises:
        UsageError: it is another's. DataError: its input is not known, or is not what its builder
            takes; or zoohub has no such task.
    """
    provenance: Provenance | None = getattr(net, "zoohub", None)
    if provenance is None:
        raise UsageError(
            "a model's name or a network that zoohub.load returned is needed: any other network's "
            "input is not known"
        )
    task = task_for(provenance.entry.task, provenance.network)
    if provenance.network is not None:
        task.check_network(provenance.network)
    if provenance.input is None:
        raise no_contract(provenance.entry.model)
    spec = provenance.network
    builder = spec.builder if spec else None
    if spec is not None and (problem := _size_problem(spec, provenance.input)) is not None:
        raise DataError(f"{provenance.entry.model}: {problem}, as its input contract says")
    runner, read = cell_runner(net, builder, cast("Mode | None", mode))
    parts = part_runners(net, builder, cast("Mode | None", mode))
    return Predictor(task, runner, read, provenance.input, provenance.classes, parts=parts)


def _size_problem(spec: NetworkSpec, contract: InputContract) -> str | None:
    return find_family(spec.builder).size_problem(spec.arguments, contract.size)


def no_contract(model: str) -> DataError:
    """What to say of a model whose input is not known."""
    return DataError(
        f"the index does not know how the input of {model} is made; run the network from "
        "zoohub.load on arrays of your own"
    )


def cell_runner(
    net: nn.Cell, builder: str | None, mode: Mode | None = None
) -> tuple[CellRunner, Read]:
    """The runner of a network, and how what it gives is read; `builder` is its family's name,
    None of a finished graph."""
    if builder is None:
        return CellRunner(net, mode), choose_reading(())
    family = find_family(builder)
    cut = family.cut_network(net, decode=True)
    names = cut.names if cut else ()
    read = choose_reading(names, decoding=cut.decoding if cut else None, own=family.read_outputs())
    return CellRunner(net, mode, inputs=family.inputs, outputs=names), read
