"""The network in training: its steps on MindSpore, and all of its state as arrays."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import mindspore as ms
import numpy as np
from mindspore import Parameter, Tensor, nn
from numpy.typing import NDArray

from zoohub.errors import CheckpointMismatch, DataError, RecipeError
from zoohub.training.depthwise import DepthwiseConvolutions
from zoohub.training.dropout import Dropouts
from zoohub.training.layers import belongs
from zoohub.training.metrics import Classification
from zoohub.training.optimizers import build_optimizer
from zoohub.training.recipe import TrainingRun
from zoohub.training.step import (
    AddGradients,
    ApplySums,
    Average,
    Gradients,
    SoftCrossEntropy,
    Update,
    WholeStep,
    average_decay,
)

Arrays = dict[str, NDArray[Any]]


class Trainer:
    """Takes optimiser steps on `net`; `state` and `restore` carry it over to another process.

    `trained` are the parameters that learn, `scales` the factors on their learning rates.
    `accumulate` micro-batches make one step, on each of `workers` processes. `network` is what
    `net` is a shell around, where it is one: its parts go by the names in the recipe.
    """

    def __init__(
        self,
        net: nn.Cell,
        recipe: TrainingRun,
        trained: Sequence[Parameter],
        scales: Sequence[float],
        *,
        accumulate: int = 1,
        workers: int = 1,
        rank: int = 0,
        loss: nn.Cell | None = None,
        network: nn.Cell | None = None,
    ) -> None:
        self.net, self.recipe, self.accumulate = net, recipe, accumulate
        self.step_count, self.rank = 0, rank
        self.parameters = list(net.get_parameters())
        self._still = [
            cell
            for name, cell in (network or net).cells_and_names()
            if any(belongs(name, prefix) for prefix in recipe.frozen)
        ]
        self._dropouts, self._depthwise = Dropouts(net), DepthwiseConvolutions(net)
        self.optimizer = build_optimizer(recipe.optimizer, trained, scales)
        gradients = Gradients(net, loss or SoftCrossEntropy(), self.optimizer.weights)
        update = Update(self.optimizer, recipe.optimizer.clip, workers)
        self._sums: list[Parameter] = []
        if accumulate == 1:
            self._whole = WholeStep(gradients, update)
        else:
            self._sums = [
                Parameter(Tensor(np.zeros(p.shape, np.float32)), name=f"sum.{p.name}")
                for p in trained
            ]
            sums = ms.ParameterTuple(self._sums)
            self._add = AddGradients(gradients, sums)
            self._apply = ApplySums(update, sums, accumulate)
        self.average = Average(self.parameters) if recipe.ema is not None else None

    def step(
        self, batches: Sequence[tuple[NDArray[np.float32], NDArray[np.float32]]], lr: float
    ) -> tuple[float, NDArray[np.float32]]:
        """One optimiser step on its micro-batches of (images NCHW, targets (N, K)).

        Returns the mean loss and the logits of all pictures.

        Raises:
            RecipeError: the loss is no number any more.
        """
        self._training_mode()
        rate = Tensor(lr, ms.float32)
        if self.accumulate == 1:
            (images, targets), *_ = batches
            self._choose_masks(0)
            loss, logits = self._whole(_borrowed(images), Tensor(targets), rate)
            value, outputs = float(loss.asnumpy()), logits.asnumpy()
        else:
            results = []
            for part, (images, targets) in enumerate(batches):
                self._choose_masks(part)
                results.append(self._add(_borrowed(images), Tensor(targets)))
            self._apply(rate)
            value = float(np.mean([loss.asnumpy() for loss, _ in results]))
            outputs = np.concatenate([logits.asnumpy() for _, logits in results])
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

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
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


def _borrowed(images: NDArray[np.float32]) -> Tensor:
    """A tensor in the batch's own memory: nobody writes there once the batch is complete."""
    return Tensor.from_numpy(np.ascontiguousarray(images))


def put_weights(parameters: Sequence[Parameter], arrays: Mapping[str, NDArray[Any]]) -> None:
    """Give the parameters the arrays of the same names."""
    for parameter in parameters:
        parameter.set_data(Tensor(np.array(arrays[parameter.name])))


def evaluate_network(net: nn.Cell, batches: Any, size: int) -> Classification:
    """Logits and labels of (images, labels) batches in evaluation mode.

    A batch smaller than `size` is filled up, so that the network compiles for one shape.

    Raises:
        DataError: there is no batch.
    """
    net.set_train(False)
    logits, labels = [], []
    for images, target in batches:
        count = len(images)
        if count < size:
            images = np.concatenate([images, np.repeat(images[-1:], size - count, axis=0)])
        output = net(Tensor(images))
        output = output[0] if isinstance(output, tuple | list) else output
        logits.append(output.asnumpy()[:count].astype(np.float32))
        labels.append(target)
    if not logits:
        raise DataError("none of the pictures to evaluate on can be read")
    return Classification(np.concatenate(logits), np.concatenate(labels))
