"""A network that a task asks in parts, each run by a compiled form of its own.

The first part's form is kept under the network's key and says which parts there are. Some may have
none yet: a detector that found nothing was not asked for masks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property, partial
from typing import TYPE_CHECKING

from zoohub.graphs.metadata import Metadata
from zoohub.networks.families import find_family
from zoohub.predicting.compiled import Compile, Form, MakingRunner, Units
from zoohub.predicting.engines import Engine
from zoohub.running import CellRunner, Mode, Runner
from zoohub.running.runner import Inputs, Outputs
from zoohub.store.compiled import compiled_key, read_compiled

if TYPE_CHECKING:
    from mindspore import nn

    from zoohub.graphs.compiling import CompiledForm


def form_of(form: Form, part: str) -> Form:
    """Where the form of a part is kept, of which `form` is the network's."""
    key = compiled_key({"form": form.key, "part": part})
    return replace(form, key=key, record=read_compiled(form.store, key), part=part)


class LateRunner:
    """Runs a part that has no form yet: `make` gives its runner once it is asked."""

    def __init__(self, make: Callable[[], Runner]) -> None:
        self._make = make

    @cached_property
    def _runner(self) -> Runner:
        return self._make()

    @property
    def engine(self) -> Engine:
        """What computes; before it is asked, what is meant to."""
        made = "_runner" in vars(self)
        return getattr(self._runner, "engine", "onnxruntime") if made else "onnxruntime"

    @property
    def inputs(self) -> tuple[str, ...]:
        """See `Runner.inputs`."""
        return self._runner.inputs

    def run(self, inputs: Inputs) -> Outputs:
        """See `Runner.run`."""
        return self._runner.run(inputs)


def open_parts(form: Form, late: Callable[[], Mapping[str, Runner]]) -> dict[str, Runner]:
    """The runners of a network's parts, the one asked most last; none where the first has no form.

    `late` gives those of all parts, for what has none.
    """
    first = form.open(None)
    if first is None or form.record is None:
        return {}
    names = Metadata.from_strings(form.record.said).parts
    runners: dict[str, Runner] = {names[0]: first}
    for name in names[1:]:
        found = form_of(form, name).open(None)
        runners[name] = found or LateRunner(partial(_one_of, late, name))
    return runners


def _one_of(late: Callable[[], Mapping[str, Runner]], name: str) -> Runner:
    return late()[name]


def making_parts(
    net: nn.Cell, cells: Mapping[str, CellRunner], form: Form, units: Units, *, required: bool
) -> dict[str, MakingRunner]:
    """What makes the form of each part of `net` with its first batch; `cells` run them in
    MindSpore."""
    first = next(iter(cells))
    checkers = part_runners(net, form.subject.network.builder, "pynative")
    runners = {}
    for name, cell in cells.items():
        its = replace(form, part=name) if name == first else form_of(form, name)
        said = replace(form.said, parts=tuple(cells) if name == first else ())
        compile = _compiler(net, name, said)
        runners[name] = MakingRunner(cell, checkers[name], its, compile, units, required=required)
    return runners


def part_runners(net: nn.Cell, builder: str | None, mode: Mode | None) -> dict[str, CellRunner]:
    """The runners of a network's parts in MindSpore; empty where it is asked whole."""
    parts = {} if builder is None else find_family(builder).parts_of(net)
    return {
        name: CellRunner(
            part.net, mode, inputs=[taken.name for taken in part.inputs], outputs=part.outputs
        )
        for name, part in parts.items()
    }


def _compiler(net: nn.Cell, name: str, said: Metadata) -> Compile:
    def compile(few: Inputs) -> CompiledForm:
        from zoohub.graphs.compiling import compile_part

        assert said.family is not None
        return compile_part(net, find_family(said.family), name, said)

    return compile
