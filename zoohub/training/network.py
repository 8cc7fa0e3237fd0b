"""A run's network: with its starting weights, its head, its loss, and what of it learns."""

from __future__ import annotations

import dataclasses
import re

import mindspore as ms
from mindspore import nn

from zoohub.core.counting import counted
from zoohub.errors import DataError, RecipeError
from zoohub.framework import limit_onednn, warn_if_too_late, warn_of_numpy
from zoohub.manifest.entry import NetworkSpec
from zoohub.networks.families import find_family, head_of, outputs_for
from zoohub.networks.family import LossRequest
from zoohub.networks.loading import create_network
from zoohub.networks.options import NetworkOptions
from zoohub.tasks.classes import same_classes
from zoohub.tasks.recipe import Recipe
from zoohub.training.batches import Plan
from zoohub.training.options import Say
from zoohub.training.session import Session
from zoohub.training.starting_point import own_file
from zoohub.training.steps.layers import belongs, frozen_names, layer_scales
from zoohub.training.steps.trainer import Learning, Trainer


def build_network(session: Session, say: Say = lambda text: None) -> nn.Cell:
    """The network with its starting weights and a head for the data's classes.

    The checkpoint's own head stays only where the data's classes are the checkpoint's, by name.
    Sets MindSpore's mode and seed.

    Raises:
        RecipeError: the head must be new and is not known, or the device cannot compute as `amp`
            says.
    """
    net, fresh = _starting_network(session, say)
    family = find_family(session.start.spec.builder)
    if fresh and family.start_head is not None:
        family.find(family.start_head)(net, len(session.splits.classes), _size(session))
    return net


def _starting_network(session: Session, say: Say) -> tuple[nn.Cell, bool]:
    """The network, and whether its head is new."""
    recipe, start, classes = session.recipe, session.start, session.splits.classes
    warn_if_too_late(limit_onednn())
    warn_of_numpy()
    set_mode(recipe, say)
    ms.set_seed(recipe.seed)
    count = len(classes)
    if start.path is None:
        return in_precision(_fresh_network(start.spec, count), recipe.amp), True
    options = NetworkOptions(
        num_classes=count or None,
        ema=bool(recipe.start_ema),
        renewed=head_of(start.spec) if start.renewed else (),
        resized=start.resized,
    )
    net, report = create_network(start.spec, start.path, options)
    same = not count or same_classes(classes, start.classes)
    if report is not None and not report.replaced and not same:
        _renew_head(net, start.spec, count)
    if not same:
        source = own_file(recipe.checkpoint) or f"{recipe.model}@{recipe.checkpoint}"
        say(f"a new head for {counted(count, 'class', 'classes')}; all else starts from {source}")
    return in_precision(net, recipe.amp), not same


def build_trainer(session: Session, net: nn.Cell, plan: Plan) -> Trainer:
    """The trainer of `net`: which parameters learn, how fast, and by which loss.

    Raises:
        RecipeError: a frozen part does not exist. DataError: the network has no loss.
    """
    recipe, spec = session.recipe, session.start.spec
    parameters = net.trainable_params()
    names = [p.name for p in parameters]
    frozen = frozen_names(names, recipe.frozen)
    scales = layer_scales(names, recipe.layer_decay, head_of(spec))
    family = find_family(spec.builder)
    request = LossRequest(
        len(session.splits.classes),
        _size(session),
        plan.workers,
        recipe.label_smoothing,
        session.task.loss_weights(recipe),
    )
    # A family's own loss takes what else its network gives in training, an auxiliary head's.
    own = family.loss if recipe.freeze is None else None
    make = session.task.loss if own is None else family.find(own)
    cell, loss = make(net, request)
    learns = [(p, scale) for p, scale in zip(parameters, scales, strict=True)
              if p.name not in frozen]  # fmt: skip
    learning = Learning(
        cell, loss, net, [p for p, _ in learns], [scale for _, scale in learns], len(family.inputs)
    )
    return Trainer(learning, recipe, plan)


def _size(session: Session) -> tuple[int, int]:
    size = session.start.contract.size
    if session.start.contract.text is not None:
        return (0, 0)
    if size is None:
        raise DataError("the size of the network's input is not known: give the recipe an `input`")
    return size


def set_mode(recipe: Recipe, say: Say) -> None:
    """Give MindSpore the recipe's mode and memory pool.

    Raises:
        RecipeError: the pool's size is not written as MindSpore wants it.
    """
    ms.set_context(mode=ms.GRAPH_MODE if recipe.mode == "graph" else ms.PYNATIVE_MODE)
    size = recipe.mempool_block_size
    if size is None:
        return
    if not re.fullmatch(r"\d+(\.\d+)?GB", size):
        raise RecipeError(f"mempool_block_size: expected a size such as 1GB or 0.5GB, got {size!r}")
    if ms.get_context("device_target") == "CPU":
        say("mempool_block_size: MindSpore has no such pool on a CPU; left out")
    else:
        ms.set_context(mempool_block_size=size)


def _fresh_network(spec: NetworkSpec, classes: int) -> nn.Cell:
    arguments = dict(spec.arguments)
    if classes:
        arguments[find_family(spec.builder).classes_argument] = outputs_for(spec, classes)
    return create_network(dataclasses.replace(spec, arguments=arguments), None)[0]


def _renew_head(net: nn.Cell, spec: NetworkSpec, classes: int) -> None:
    """Give the head initial values: other classes than the checkpoint's, though as many."""
    head = head_of(spec)
    if not head:
        raise RecipeError(
            f"which part of {spec.builder} is its head is not known, so it cannot learn other "
            "classes; start from fresh weights (--scratch), or give the recipe a `network` with "
            "`head`"
        )
    values = {p.name: p for p in _fresh_network(spec, classes).get_parameters()}
    for parameter in net.get_parameters():
        if any(belongs(parameter.name, prefix) for prefix in head):
            parameter.set_data(ms.Tensor(values[parameter.name].asnumpy()))


def in_precision(net: nn.Cell, amp: str) -> nn.Cell:
    """The network computing as `amp` says, in bfloat16: its range needs no loss scaling.

    Raises:
        RecipeError: the device has no such arithmetic.
    """
    if amp == "O0":
        return net
    if ms.get_context("device_target") == "CPU":
        raise RecipeError(
            f"amp {amp} computes in bfloat16, for which MindSpore has no CPU kernels; "
            "use amp: O0 here, or an Ascend device"
        )
    return ms.amp.auto_mixed_precision(net, amp, ms.bfloat16)
