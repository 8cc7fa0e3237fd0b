"""A named network run by its compiled form: out of the store, or made with the first batch."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from zoohub.core.notes import note
from zoohub.core.turns import mindspore_turn
from zoohub.errors import ExportError, ZoohubError
from zoohub.graphs.metadata import Metadata
from zoohub.graphs.version import writer_version
from zoohub.models.subjects import Subject
from zoohub.networks.families import find_family
from zoohub.predicting.engines import Engine
from zoohub.predicting.optimised import open_form
from zoohub.running import CellRunner, OnnxRunner, Runner
from zoohub.running.runner import Array, Inputs, Outputs
from zoohub.settings import Settings
from zoohub.store import Store
from zoohub.store.compiled import (
    CompiledRecord,
    compiled_key,
    form_path,
    publish_compiled,
    read_compiled,
    refuse_compiled,
)

if TYPE_CHECKING:
    from zoohub.graphs.compiling import CompiledForm

_FOLDED = True
_CHECKED_ROWS = 4

Units = Callable[[str, Array], tuple[Array, ...]]
Compile = Callable[[Inputs], "CompiledForm"]


@dataclass(frozen=True)
class Form:
    """Where the compiled form of a subject is kept: in `store`, under `key`.

    `record` says what is there; None: nothing yet. `part` is which part of the network it is of,
    where it is not of the whole.
    """

    store: Store
    key: str
    subject: Subject
    weights: str
    record: CompiledRecord | None
    part: str | None = None

    @property
    def name(self) -> str:
        """What to call it."""
        return self.subject.name if self.part is None else f"{self.subject.name} ({self.part})"

    @property
    def said(self) -> Metadata:
        """What is known of the network, for the form to say of itself."""
        subject = self.subject
        return Metadata(
            model=subject.resolved.entry.model,
            task=subject.task,
            family=subject.network.builder,
            checkpoint=None if subject.own else subject.checkpoint.reference,
            sha256=self.weights,
            input=subject.input,
            licence=None if subject.own else subject.checkpoint.licence,
        )

    def open(self, inputs: Sequence[str] | None) -> OnnxRunner | None:
        """The form's runner, whose inputs have these names (None: its own); None where it is not
        there, or was damaged."""
        path = form_path(self.store, self.record) if self.record else None
        if path is None or self.record is None:
            return None
        try:
            return open_form(self.store, self.record, path, inputs)
        except ZoohubError as error:
            note(f"the compiled form of {self.name} is made again ({error})")
            return None


def find_form(subject: Subject, settings: Settings, *, show_progress: bool) -> Form:
    """Where the compiled form of a subject is, or will be.

    Raises:
        As `zoohub.download`, where the weights are not known by their hash.
    """
    weights = subject.weights_hash(settings, show_progress=show_progress)
    spec, contract = subject.network, subject.input
    # What is not asked for leaves the keys of the forms there are as they are.
    options = {k: v for k, v in asdict(subject.options).items() if v} if subject.own else {}
    # A form keeps its contract of texts, which must not outlive what the index says.
    text = None if contract.text is None else asdict(contract.text)
    key = compiled_key(
        {
            **({"own": options} if subject.own else {}),
            **({"text": text} if text else {}),
            "weights": weights,
            "network": [spec.builder, dict(spec.arguments), spec.parameters],
            "input": [contract.size, contract.channels, contract.layout],
            "open": contract.open_axes,
            "writer": writer_version(),
            "folded": _FOLDED,
        }
    )
    store = Store(settings.home)
    return Form(store, key, subject, weights, read_compiled(store, key))


class MakingRunner:
    """Has the compiled form made with the first batch, and runs it from there on.

    `compile` is what makes it, given a batch. Where it cannot be made, or does not compute as
    `checker` does, MindSpore goes on in `cell` (`required`: raises).
    """

    def __init__(
        self,
        cell: CellRunner,
        checker: CellRunner,
        form: Form,
        compile: Compile,
        units: Units,
        *,
        required: bool,
    ) -> None:
        self.inputs = cell.inputs
        self._cell, self._checker, self._form, self._units = cell, checker, form, units
        self._compile, self._required = compile, required
        self._settled: Runner | None = None
        self._lock = threading.Lock()

    @property
    def engine(self) -> Engine:
        """What computes; before the first batch, what is meant to."""
        return "mindspore" if self._settled is self._cell else "onnxruntime"

    def run(self, inputs: Inputs) -> Outputs:
        """See `Runner.run`."""
        with self._lock:
            if self._settled is None:
                self._settled = self._settle(inputs)
        return self._settled.run(inputs)

    def _settle(self, inputs: Inputs) -> Runner:
        form = self._form
        name = form.name
        try:
            return self._made(inputs)
        except Exception as error:  # MindSpore's compiler and onnx raise whatever they meet
            if self._required:
                raise
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
            if isinstance(error, ExportError):  # it would be so again
                record = CompiledRecord(name, form.weights, refused=reason)
                refuse_compiled(form.store, form.key, record)
            note(f"{name} runs in MindSpore, as it could not be compiled: {reason}")
            return self._cell

    def _made(self, inputs: Inputs) -> Runner:
        form = self._form
        record = publish_compiled(
            form.store,
            form.key,
            CompiledRecord(form.name, form.weights),
            lambda: self._checked(inputs),
            note,
        )
        if record.refused is not None:
            raise ExportError(record.refused)
        path = form_path(form.store, record)
        if path is None:
            raise ZoohubError(f"the compiled form of {record.name} was removed as it came")
        return open_form(form.store, record, path, self.inputs)

    def _checked(self, inputs: Inputs) -> tuple[bytes, Mapping[str, str]]:
        note(f"compiling {self._form.name} for onnxruntime; later calls find it in the cache")
        few = {name: array[:_CHECKED_ROWS] for name, array in inputs.items()}
        with mindspore_turn():
            made = self._compile(few)
        form = OnnxRunner(made.model, inputs=self.inputs)
        check_form(form, self._checker, few, self._units)
        if made.open_axes:
            shorter = {name: _shortened(array, made.open_axes) for name, array in few.items()}
            check_form(form, self._checker, shorter, self._units)
        return made.model, made.metadata.to_strings()


def making_whole(
    cell: CellRunner, checker: CellRunner, form: Form, units: Units, *, required: bool
) -> MakingRunner:
    """What makes the form of a network that is asked whole."""

    def compile(few: Inputs) -> CompiledForm:
        from zoohub.graphs.compiling import compile_form

        family = find_family(form.subject.network.builder)
        return compile_form(checker.net, family, few, form.said)

    return MakingRunner(cell, checker, form, compile, units, required=required)


def _shortened(array: Array, axes: Sequence[int]) -> Array:
    """Half of an input along these axes; of a picture a multiple of 32 pixels of each side."""
    unit = 1 if axes == (1,) else 32
    place = [slice(None)] * array.ndim
    for axis in axes:
        units = -(-array.shape[axis] // unit)
        place[axis] = slice(-(-units // 2) * unit)
    return array[tuple(place)]


def check_form(
    form: Runner, network: Runner, inputs: Inputs, units: Units, *, by_row: bool = False
) -> None:
    """Compare a form with the network on real inputs, and on twice as many.

    `units` gives an output's parts of one unit each, as `Task.comparable`. `by_row` says that each
    output has a row for each of the inputs, and of it alone: the network need not compute them
    twice.

    Raises:
        ExportError: they differ by more than rounding, or the network's are no numbers.
    """
    from zoohub.graphs.folding import TOLERANCE, relative_difference

    wanted = network.run(inputs)
    twice = _doubled(inputs)
    for given in (inputs, twice):
        if given is twice:
            wanted = _doubled(wanted) if by_row else network.run(twice)
        for name, found in form.run(given).items():
            if not np.isfinite(wanted[name]).all():
                raise ExportError(
                    f"its {name} has values that are not finite (inf or nan) in MindSpore too; its "
                    "weights or its number type do not suit this device"
                )
            both = zip(units(name, wanted[name]), units(name, found), strict=True)
            worst = max(relative_difference(one, other) for one, other in both)
            if not worst <= TOLERANCE:
                raise ExportError(
                    f"its {name} differs from MindSpore's by {worst:.1e} (relative, at most "
                    f"{TOLERANCE:.0e} is rounding)"
                )


def _doubled(arrays: Mapping[str, Array]) -> dict[str, Array]:
    return {name: np.concatenate([array, array]) for name, array in arrays.items()}
