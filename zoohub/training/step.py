"""One training step on MindSpore: forward, loss, gradients, accumulation, optimiser, average."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import mindspore as ms
import numpy as np
from mindspore import Parameter, Tensor, nn, ops
from numpy.typing import NDArray

from zoohub.training.optimizers import AdamW, Sgd, each


def soft_targets(labels: NDArray[np.int64], classes: int, smoothing: float) -> NDArray[np.float32]:
    """Class indices (N,) -> probabilities (N, classes): 1 - smoothing + smoothing / classes."""
    targets = np.full((len(labels), classes), smoothing / classes, np.float32)
    targets[np.arange(len(labels)), labels] += np.float32(1 - smoothing)
    return targets


def _mean_over_workers(reduce: Any, workers: int, gradient: Tensor) -> Any:
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


mean_over_workers = each(_mean_over_workers, "Function", "Number", "Tensor")
add_to = each(_add_to, "Tensor", "Tensor")
divide = each(_divide, "Number", "Tensor")
clear = each(_clear, "Tensor", "Tensor")
move = each(_move, "Tensor", "Tensor", "Tensor")


class SoftCrossEntropy(nn.Cell):
    """Mean cross entropy of logits (N, K) with target probabilities (N, K)."""

    def construct(self, logits: Tensor, targets: Tensor) -> Tensor:
        """The loss, a scalar."""
        return -(targets * ops.log_softmax(logits.astype(ms.float32), 1)).sum(1).mean()


class Gradients(nn.Cell):
    """((loss, logits), gradients) of one micro-batch."""

    def __init__(self, net: nn.Cell, loss: nn.Cell, weights: ms.ParameterTuple) -> None:
        super().__init__(auto_prefix=False)
        self.net, self.loss = net, loss
        self.backward = ms.value_and_grad(self._forward, None, weights, has_aux=True)

    def _forward(self, images: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        logits = self.net(images)
        return self.loss(logits, targets), logits

    def construct(self, images: Tensor, targets: Tensor) -> Any:
        """See the class."""
        return self.backward(images, targets)


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

    def construct(self, images: Tensor, targets: Tensor, lr: Tensor) -> tuple[Tensor, Tensor]:
        """(images NCHW, targets (N, K), rate) -> (loss, logits)."""
        (loss, logits), gradients = self.gradients(images, targets)
        return ops.depend(loss, self.update(gradients, lr)), logits


class AddGradients(nn.Cell):
    """Adds one micro-batch's gradients to the sums: (images, targets) -> (loss, logits)."""

    def __init__(self, gradients: Gradients, sums: ms.ParameterTuple) -> None:
        super().__init__(auto_prefix=False)
        self.gradients, self.sums = gradients, sums
        self.map = ops.HyperMap()

    def construct(self, images: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """(images NCHW, targets (N, K)) -> (loss, logits)."""
        (loss, logits), gradients = self.gradients(images, targets)
        self.map(add_to, self.sums, gradients)
        return loss, logits


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
    """Gradients scaled so that their joint L2 norm is at most `bound`."""
    total = Tensor(0.0, ms.float32)
    for gradient in gradients:
        total = total + (gradient * gradient).sum()
    factor = ops.minimum(bound / (ops.sqrt(total) + 1e-6), Tensor(1.0, ms.float32))
    clipped: tuple[Tensor, ...] = ()
    for gradient in gradients:
        clipped = (*clipped, gradient * factor)
    return clipped


def average_decay(decay: float, step: int) -> float:
    """The decay at optimiser step `step`: a short run shall not be ruled by its start."""
    return min(decay, (1 + step) / (10 + step))
