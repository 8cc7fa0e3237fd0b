"""Pipelines predict: each step is a network's predictor, the task has them answer in turn."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, cast

from zoohub.core.paths import name_or_path
from zoohub.errors import UsageError
from zoohub.manifest.entry import InputContract
from zoohub.manifest.opening import open_index
from zoohub.manifest.steps import exchanged, resolved_steps, step_references
from zoohub.models.pipelines import Pipeline, network_name, pipeline_called
from zoohub.networks.options import NetworkOptions
from zoohub.outputs import Form
from zoohub.predicting.asked import check_own
from zoohub.predicting.engines import Engine
from zoohub.predicting.known import FINISHED, known_of
from zoohub.predicting.opening import open_predictor
from zoohub.predicting.pipeline_files import PipelineFile, is_pipeline_file, read_pipeline_file
from zoohub.predicting.predictor import Predictor
from zoohub.settings import Settings
from zoohub.tasks.chained import ChainTask, chain_task
from zoohub.tasks.contract import Prepare, Row
from zoohub.tasks.finding import find_task

if TYPE_CHECKING:
    from mindspore import nn

    from zoohub.models.request import LoadRequest


@dataclass(frozen=True)
class ChainPredictor:
    """A pipeline ready to predict. What it has in common with `Predictor` is named as there."""

    task: ChainTask
    steps: Mapping[str, Predictor]
    names: tuple[str, ...] | None = None
    confidence: float | None = None

    @property
    def input(self) -> InputContract:
        """Nobody's: each step has its own."""
        return InputContract()

    @property
    def computing(self) -> Engine:
        """The engine that computes, MindSpore where it does any step."""
        engines = {step.computing for step in self.steps.values()}
        return "onnxruntime" if engines == {"onnxruntime"} else "mindspore"

    def prepare(self, options: object) -> Prepare:
        """See `Predictor`."""
        return self.task.prepare_chain(self.steps, options)

    def infer(self, rows: Sequence[Row]) -> Form:
        """What the steps make of these rows."""
        return self.task.chain(self.steps, rows)


AnyPredictor: TypeAlias = Predictor | ChainPredictor


def open_any(
    model: str | Path | nn.Cell | Pipeline,
    settings: Settings,
    *,
    mode: str | None = None,
    request: LoadRequest | None = None,
    steps: Mapping[str, object] | None = None,
    task: str | None = None,
) -> AnyPredictor:
    """The predictor of whatever predicts: of a pipeline, its name, what `zoohub.load` made of it or
    an exported one's description; else as `open_predictor`. `steps` are networks to be put in the
    place of a pipeline's own; `task` is one that is asked of a network, None: its own.

    Raises:
        UsageError: steps are given to what has none, or weights to what has several networks.
        DataError: a step's network is for another task than the one it stands for.
    """
    chain = _chain_of(model, settings)
    if chain is None:
        exchanged(str(model), {}, steps or {})
        return open_predictor(
            cast("nn.Cell", model), settings, mode=mode, request=request, task=task
        )
    if request is not None and (
        request.own_weights is not None or request.options != NetworkOptions()
    ):
        raise UsageError(
            f"{chain.name} has several networks: what is said of weights (--checkpoint, --ema, …) "
            "is for one. Put the network of a run of yours into a step: "
            f"--set {next(iter(chain.steps))}=RUN"
        )
    given = {step: network_name(chain.name, step, value) for step, value in (steps or {}).items()}
    nets = exchanged(chain.name, chain.steps, given)
    own = chain_task(chain.name, find_task(chain.task))
    check_own(task, chain.name, own)
    own.check_steps(chain.name, nets)
    if chain.file is not None:
        for step in chain.file.steps:
            if step not in given:
                chain.file.check(step)
    for step, net in nets.items():
        if isinstance(net, str):  # before anything is fetched
            own.check_step(step, net, known_of(net, settings).task)
    opened = {
        step: open_predictor(cast("nn.Cell", net), settings, mode=mode, request=request)
        for step, net in nets.items()
    }
    for step, predictor in opened.items():
        own.check_step(step, str(nets[step]), predictor.task)
    return ChainPredictor(own, opened)


def step_names(model: str, settings: Settings, given: Mapping[str, object]) -> dict[str, str]:
    """What each step of a pipeline is called, a reference or a path, with those that are `given`
    in the place of its own; of whatever else predicts nothing.

    Raises:
        UsageError: the pipeline has no step of that name. As `zoohub.predict` for its own name.
    """
    chain = _chain_of(model, settings)
    if chain is None:
        return {}
    return {step: str(name) for step, name in exchanged(chain.name, chain.steps, given).items()}


@dataclass(frozen=True)
class _Chain:
    """A pipeline whose networks are named, or there; `file` is what describes an exported one."""

    name: str
    task: str
    steps: Mapping[str, object]
    file: PipelineFile | None = None


def _chain_of(model: object, settings: Settings) -> _Chain | None:
    """The pipeline that is meant; None where it is none."""
    if isinstance(model, Pipeline):
        return _Chain(model.entry.model, model.entry.task, model.steps)
    if not isinstance(model, str | os.PathLike):
        return None
    name = name_or_path(model)
    if name.lower().endswith(FINISHED):
        return None
    if is_pipeline_file(name):
        file = read_pipeline_file(name)
        return _Chain(name, file.task, file.steps, file)
    entry = pipeline_called(name, settings)
    if entry is None:
        return None
    resolved_steps(open_index(settings), entry)  # what is none of the index is said by its step
    return _Chain(name, entry.task, step_references(entry))
