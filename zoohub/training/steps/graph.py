"""One training step on MindSpore: forward, loss, gradients, accumulation, optimiser, average."""

from __future__ import annotations

from collections.abc import Sequence

import mindspore as ms
from mindspore import Parameter, Tensor, nn, ops

from zoohub.training.steps.optimizers import AdamW, Sgd, each


def _mean_over_workers(reduce: nn.Cell, workers: int, gradient: Tensor) -> Tensor:
    return reduce(gradient) / workers


def _add_to(total: Tensor, gradient: Tensor) -> bool:
    ops.assign(total, total + gradient)
    return True


def _divide(count: int, total: Tensor) -> Tensor:
    return total / count


def _clear(done: Tensor, total: Tensor) -> bool:
    ops.assign(total, ops.depend(ops.zeros_like(total), done))
    return True


def _move(decay: Tensor, shadow: Tensor, live: Tensor) -> bool:
    ops.assign(shadow, shadow * decay + live * (1 - decay))
    return True


def _square_sum(gradient: Tensor) -> Tensor:
    return (gradient * gradient).sum()


def _scale_by(factor: Tensor, gradient: Tensor) -> Tensor:
    return gradient * factor


mean_over_workers = each(_mean_over_workers, "Function", "Number", "Tensor")
add_to = each(_add_to, "Tensor", "Tensor")
divide = each(_divide, "Number", "Tensor")
clear = each(_clear, "Tensor", "Tensor")
square_sum = each(_square_sum, "Tensor")
scale_by = each(_scale_by, "Tensor", "Tensor")
move = each(_move, "Tensor", "Tensor", "Tensor")


class Gradients(nn.Cell):
    """((loss, outputs), gradients) of one micro-batch: the network's `inputs` arrays, in its
    order, then those that the loss takes after its outputs."""

    def __init__(
        self, net: nn.Cell, loss: nn.Cell, weights: ms.ParameterTuple, inputs: int = 1
    ) -> None:
        super().__init__(auto_prefix=False)
        self.net, self.loss, self.inputs = net, loss, inputs
        self.backward = ms.value_and_grad(self._forward, None, weights, has_aux=True)

    def _forward(self, *batch: Tensor) -> tuple[Tensor, object]:
        outputs = self.net(*batch[: self.inputs])
        return self.loss(outputs, *batch[self.inputs :]), outputs

    def construct(self, *batch: Tensor) -> object:
        """See the class."""
        return self.backward(*batch)


class Update(nn.Cell):
    """Gradients into the weights: averaged over the workers, clipped, then the optimiser's rule."""

    def __init__(self, optimizer: Sgd | AdamW, clip: float | None, workers: int) -> None:
        super().__init__(auto_prefix=False)
        self.optimizer, self.clip, self.workers = optimizer, clip, workers
        self.map = ops.HyperMap()
        if workers > 1:
            self.reduce = ops.AllReduce()

    def construct(self, gradients: tuple[Tensor, ...], lr: Tensor) -> Tensor:
        """Take the step; returns `lr`, for others to depend on."""
        if self.workers > 1:
            rule = ops.partial(mean_over_workers, self.reduce, self.workers)
            gradients = self.map(rule, gradients)
        if self.clip is not None:
            gradients = clip_norm(gradients, self.clip)
        return self.optimizer(gradients, lr)


class WholeStep(nn.Cell):
    """A whole optimiser step in one graph."""

    def __init__(self, gradients: Gradients, update: Update) -> None:
        super().__init__(auto_prefix=False)
        self.gradients, self.update = gradients, update

    def construct(self, lr: Tensor, *batch: Tensor) -> tuple[Tensor, object]:
        """(rate, inputs and targets) -> (loss, outputs)."""
        (loss, outputs), gradients = self.gradients(*batch)
        return ops.depend(loss, self.update(gradients, lr)), outputs


class AddGradients(nn.Cell):
    """Adds one micro-batch's gradients to the sums."""

    def __init__(self, gradients: Gradients, sums: ms.ParameterTuple) -> None:
        super().__init__(auto_prefix=False)
        self.gradients, self.sums = gradients, sums
        self.map = ops.HyperMap()

    def construct(self, *batch: Tensor) -> tuple[Tensor, object]:
        """(inputs and targets) -> (loss, outputs)."""
        (loss, outputs), gradients = self.gradients(*batch)
        self.map(add_to, self.sums, gradients)
        return loss, outputs


class ApplySums(nn.Cell):
    """The optimiser step on the sums' mean over `accumulate` micro-batches; empties the sums."""

    def __init__(self, update: Update, sums: ms.ParameterTuple, accumulate: int) -> None:
        super().__init__(auto_prefix=False)
        self.update, self.sums, self.accumulate = update, sums, accumulate
        self.map = ops.HyperMap()

    def construct(self, lr: Tensor) -> Tensor:
        """Take the step; returns `lr`."""
        means = self.map(ops.partial(divide, self.accumulate), self.sums)
        done = self.update(means, lr)
        self.map(ops.partial(clear, done), self.sums)
        return done


class Average(nn.Cell):
    """The exponential moving average of the network's parameters, batch norm's statistics too."""

    def __init__(self, parameters: Sequence[Parameter]) -> None:
        super().__init__(auto_prefix=False)
        self.live = ms.ParameterTuple(parameters)
        self.shadow = ms.ParameterTuple(
            [
                Parameter(Tensor(p.asnumpy().copy()), name=f"ema.{p.name}", requires_grad=False)
                for p in parameters
            ]
        )
        # Detectors carry whole numbers (strides) among their parameters: they stay as they are.
        moving = [i for i, p in enumerate(parameters) if p.is_floating_point()]
        self.sources = ms.ParameterTuple([self.live[i] for i in moving])
        self.targets = ms.ParameterTuple([self.shadow[i] for i in moving])
        self.map = ops.HyperMap()

    def construct(self, decay: Tensor) -> Tensor:
        """Move the average towards the live weights by 1 - `decay`."""
        self.map(ops.partial(move, decay), self.targets, self.sources)
        return decay


def clip_norm(gradients: tuple[Tensor, ...], bound: float) -> tuple[Tensor, ...]:
    """Gradients scaled so that their joint L2 norm is at most `bound`.

    Mapped, not looped over: each turn of a loop is a call in a call to the compiler, which goes no
    deeper than a thousand, and large networks have more parameters than that allows.
    """
    over = ops.HyperMap()
    total = ops.addn(over(square_sum, gradients))
    factor = ops.minimum(bound / (ops.sqrt(total) + 1e-6), Tensor(1.0, ms.float32))
    clipped: tuple[Tensor, ...] = over(ops.partial(scale_by, factor), gradients)
    return clipped


def average_decay(decay: float, step: int) -> float:
    """The decay at optimiser step `step`: a short run shall not be ruled by its start."""
    return min(decay, (1 + step) / (10 + step))
