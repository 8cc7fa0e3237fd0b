"""The network in training: its steps on MindSpore, and all of its state as arrays."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import TypeAlias

import mindspore as ms
import numpy as np
from mindspore import Parameter, Tensor, nn

from zoohub.errors import CheckpointMismatch, RecipeError
from zoohub.graphs.lockstep import in_step
from zoohub.running import Array
from zoohub.tasks.contract import MicroBatch
from zoohub.tasks.recipe import Recipe
from zoohub.training.batches import Plan
from zoohub.training.steps.depthwise import DepthwiseConvolutions
from zoohub.training.steps.dropout import Dropouts
from zoohub.training.steps.graph import (
    AddGradients,
    ApplySums,
    Average,
    Gradients,
    Update,
    WholeStep,
    average_decay,
)
from zoohub.training.steps.layers import belongs
from zoohub.training.steps.optimizers import build_optimizer

Arrays: TypeAlias = dict[str, Array]


@dataclass(frozen=True)
class Learning:
    """What takes steps: `cell` (the network, or a shell around it whose output goes to `loss`),
    `network` itself, the parameters that learn, and the factors on their learning rates."""

    cell: nn.Cell
    loss: nn.Cell
    network: nn.Cell
    trained: Sequence[Parameter]
    scales: Sequence[float]
    inputs: int = 1  # how many arrays the network takes


class Trainer:
    """Takes optimiser steps; `state` and `restore` carry it over to another process."""

    def __init__(self, learning: Learning, recipe: Recipe, plan: Plan) -> None:
        net = learning.cell
        self.net, self.recipe, self.accumulate = net, recipe, plan.accumulate
        self.step_count, self.rank = 0, plan.rank
        self.parameters = list(net.get_parameters())
        self._still = [  # the network's parts go by the names in the recipe
            cell
            for name, cell in learning.network.cells_and_names()
            if any(belongs(name, prefix) for prefix in recipe.frozen)
        ]
        self._dropouts, self._depthwise = Dropouts(net), DepthwiseConvolutions(net)
        self.optimizer = build_optimizer(recipe.optimizer, learning.trained, learning.scales)
        gradients = Gradients(net, learning.loss, self.optimizer.weights, learning.inputs)
        update = Update(self.optimizer, recipe.optimizer.clip, plan.workers)
        self._sums: list[Parameter] = []
        if self.accumulate == 1:
            self._whole = WholeStep(gradients, update)
        else:
            self._sums = [
                Parameter(Tensor(np.zeros(p.shape, np.float32)), name=f"sum.{p.name}")
                for p in learning.trained
            ]
            sums = ms.ParameterTuple(self._sums)
            self._add = AddGradients(gradients, sums)
            self._apply = ApplySums(update, sums, self.accumulate)
        self.average = Average(self.parameters) if recipe.ema is not None else None

    def step(self, batches: Sequence[MicroBatch], lr: float) -> tuple[float, list[object]]:
        """One optimiser step on its micro-batches.

        Returns the mean loss and what the network gave for each micro-batch, as tensors.

        Raises:
            RecipeError: the loss is no number any more.
        """
        self._training_mode()
        compiles = ms.get_context("mode") == ms.GRAPH_MODE
        rate = Tensor(lr, ms.float32)
        outputs: list[object] = []
        losses: list[Tensor] = []
        for part, (inputs, targets) in enumerate(batches):
            self._choose_masks(part)
            arrays = [*map(_borrowed, inputs), *map(Tensor, targets)]
            whole = self.accumulate == 1
            with nullcontext() if compiles else in_step():
                loss, output = self._whole(rate, *arrays) if whole else self._add(*arrays)
            losses.append(loss)
            outputs.append(output)
        if self.accumulate > 1:
            self._apply(rate)
        value = float(np.mean([loss.asnumpy() for loss in losses]))
        if self.average is not None and self.recipe.ema is not None:
            self.average(Tensor(average_decay(self.recipe.ema, self.step_count), ms.float32))
        self.step_count += 1
        if not math.isfinite(value):
            raise RecipeError(
                f"the loss is no number any more at step {self.step_count} (learning rate "
                f"{lr:.3g}): start again with a lower rate (--lr), a longer warm-up "
                "(--set schedule.warmup=N) or limited gradients (--set optimizer.clip=1)"
            )
        return value, outputs

    def _training_mode(self) -> None:
        """Everything learns but the frozen parts, whose batch norms keep their statistics."""
        self.net.set_train(True)
        for cell in self._still:
            cell.set_train(False)

    def _choose_masks(self, part: int) -> None:
        number = self.rank * self.accumulate + part
        self._dropouts.set_step(self.recipe.seed, self.step_count, number)

    def release(self) -> None:
        """Give the network its own layers back; no step can be taken after."""
        self._dropouts.restore()
        self._depthwise.restore()

    def weights(self) -> Arrays:
        """The network's parameters as they are evaluated and kept: averaged where asked."""
        source = list(self.average.shadow) if self.average is not None else self.parameters
        names = [p.name for p in self.parameters]
        return {name: p.asnumpy().copy() for name, p in zip(names, source, strict=True)}

    def state(self) -> Arrays:
        """Everything a continued run needs, copied: weights, optimiser, average, step number."""
        arrays = {name: p.asnumpy().copy() for name, p in self._parameters().items()}
        return {**arrays, "step_count": np.array(self.step_count, np.int64)}

    def restore(self, state: Mapping[str, Array]) -> None:
        """Continue from `state`.

        Raises:
            CheckpointMismatch: it belongs to another network or optimiser. Nothing is changed.
        """
        parameters = self._parameters()
        odd = sorted(parameters.keys() ^ (state.keys() - {"step_count"}))
        odd += [n for n, p in parameters.items() if n in state and state[n].shape != p.shape]
        if odd:
            raise CheckpointMismatch(
                f"the saved state is another run's: {', '.join(odd[:10])} differ; "
                "start again without --resume"
            )
        for name, parameter in parameters.items():
            parameter.set_data(Tensor(np.array(state[name])))
        self.step_count = int(state["step_count"])

    def _parameters(self) -> dict[str, Parameter]:
        parameters = {f"net.{p.name}": p for p in self.parameters}
        trained = {f"net.{p.name}" for p in self.optimizer.weights}
        own = {p.name: p for p in self.optimizer.get_parameters() if f"net.{p.name}" not in trained}
        averaged = {p.name: p for p in self.average.shadow} if self.average is not None else {}
        return {**parameters, **own, **averaged}


def _borrowed(array: Array) -> Tensor:
    """A tensor in the batch's own memory: nobody writes there once the batch is complete."""
    return Tensor.from_numpy(np.ascontiguousarray(array))


def put_weights(parameters: Sequence[Parameter], arrays: Mapping[str, Array]) -> None:
    """Give the parameters the arrays of the same names."""
    for parameter in parameters:
        parameter.set_data(Tensor(np.array(arrays[parameter.name])))


@contextmanager
def borrowed_weights(
    parameters: Sequence[Parameter], arrays: Mapping[str, Array]
) -> Iterator[None]:
    """Give the parameters other arrays for the time being."""
    own = {p.name: p.asnumpy().copy() for p in parameters}
    put_weights(parameters, arrays)
    try:
        yield
    finally:
        put_weights(parameters, own)
