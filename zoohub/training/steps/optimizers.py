"""SGD and AdamW whose learning rate is an argument of every step.

MindSpore's own optimisers bake the schedule into the graph, and its AdamWeightDecay leaves out
Adam's bias correction; these take the rate from the host, scale it by parameter, and keep all
their state in parameters, so that a run can be stopped and resumed exactly.

Each rule is mapped over the parameters with HyperMap: the graph of a Python loop over them takes
MindSpore twice as long to compile.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import mindspore as ms
import numpy as np
from mindspore import Parameter, Tensor, nn, ops

from zoohub.tasks.recipe import Optimizer


def build_optimizer(
    optimizer: Optimizer, parameters: Sequence[Parameter], scales: Sequence[float]
) -> Sgd | AdamW:
    """The recipe's optimiser over `parameters`; `scales` multiply each one's learning rate.

    Weight decay is for matrices and kernels: parameters of one dimension (biases, batch and
    layer normalisation) have none.
    """
    decays = [optimizer.weight_decay if p.ndim > 1 else 0.0 for p in parameters]
    if optimizer.name == "sgd":
        return Sgd(parameters, scales, decays, optimizer.momentum, optimizer.nesterov)
    return AdamW(parameters, scales, decays, optimizer.betas, optimizer.epsilon)


def each(function: Callable[..., object], *kinds: str) -> ops.MultitypeFuncGraph:
    """`function` for HyperMap: `kinds` are its arguments' (`Tensor`, `Number`, `Function`)."""
    graph = ops.MultitypeFuncGraph(function.__name__)
    graph.register(*kinds)(function)
    return graph


def _sgd_step(
    rule: ops.Primitive,
    momentum: Tensor,
    lr: Tensor,
    scale: float,
    decay: float,
    weight: Tensor,
    velocity: Tensor,
    gradient: Tensor,
) -> bool:
    if decay > 0:
        gradient = gradient + decay * weight
    rate = lr if scale == 1 else lr * scale  # decided when the graph is made
    rule(weight, velocity, rate, gradient, momentum)
    return True


def _adamw_step(
    rule: ops.Primitive,
    shared: tuple[Tensor, ...],
    scale: float,
    decay: float,
    weight: Tensor,
    first: Tensor,
    second: Tensor,
    gradient: Tensor,
) -> bool:
    lr, power1, power2, beta1, beta2, epsilon = shared
    rate = lr if scale == 1 else lr * scale
    if decay > 0:
        ops.assign(weight, weight * (1 - rate * decay))
    rule(weight, first, second, power1, power2, rate, beta1, beta2, epsilon, gradient)
    return True


_TENSORS = ("Tensor",) * 4
sgd_step = each(_sgd_step, "Function", *_TENSORS[:2], "Number", "Number", *_TENSORS[:3])
adamw_step = each(_adamw_step, "Function", "Tuple", "Number", "Number", *_TENSORS)


def _zeros_like(parameter: Parameter, prefix: str) -> Parameter:
    zeros = np.zeros(parameter.shape, np.float32)
    return Parameter(Tensor(zeros), name=f"{prefix}.{parameter.name}", requires_grad=False)


class Sgd(nn.Cell):
    """v = momentum v + (g + decay p); p -= lr scale v (Nesterov: of g + momentum v)."""

    def __init__(
        self,
        parameters: Sequence[Parameter],
        scales: Sequence[float],
        decays: Sequence[float],
        momentum: float,
        nesterov: bool,
    ) -> None:
        super().__init__(auto_prefix=False)
        self.weights = ms.ParameterTuple(parameters)
        self.velocity = ms.ParameterTuple([_zeros_like(p, "velocity") for p in parameters])
        self.scales, self.decays = tuple(scales), tuple(decays)
        self.momentum = Tensor(momentum, ms.float32)
        self.update = ops.ApplyMomentum(use_nesterov=nesterov)
        self.map = ops.HyperMap()

    def construct(self, gradients: tuple[Tensor, ...], lr: Tensor) -> Tensor:
        """Take one step; returns `lr`."""
        rule = ops.partial(sgd_step, self.update, self.momentum, lr)
        self.map(rule, self.scales, self.decays, self.weights, self.velocity, gradients)
        return lr


class AdamW(nn.Cell):
    """Adam with bias correction; the decay goes straight to the weights: p -= lr scale decay p."""

    def __init__(
        self,
        parameters: Sequence[Parameter],
        scales: Sequence[float],
        decays: Sequence[float],
        betas: tuple[float, float],
        epsilon: float,
    ) -> None:
        super().__init__(auto_prefix=False)
        self.weights = ms.ParameterTuple(parameters)
        self.first = ms.ParameterTuple([_zeros_like(p, "first") for p in parameters])
        self.second = ms.ParameterTuple([_zeros_like(p, "second") for p in parameters])
        self.scales, self.decays = tuple(scales), tuple(decays)
        self.beta1, self.beta2 = Tensor(betas[0], ms.float32), Tensor(betas[1], ms.float32)
        self.epsilon = Tensor(epsilon, ms.float32)
        self.power1 = Parameter(Tensor(1.0, ms.float32), name="power1", requires_grad=False)
        self.power2 = Parameter(Tensor(1.0, ms.float32), name="power2", requires_grad=False)
        self.update = ops.Adam()
        self.map = ops.HyperMap()

    def construct(self, gradients: tuple[Tensor, ...], lr: Tensor) -> Tensor:
        """Take one step; returns `lr`."""
        power1, power2 = self.power1 * self.beta1, self.power2 * self.beta2
        ops.assign(self.power1, power1)
        ops.assign(self.power2, power2)
        shared = (lr, power1, power2, self.beta1, self.beta2, self.epsilon)
        rule = ops.partial(adamw_step, self.update, shared)
        weights, first, second = self.weights, self.first, self.second
        self.map(rule, self.scales, self.decays, weights, first, second, gradients)
        return lr
