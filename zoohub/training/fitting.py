"""What the runs of all tasks share: their network, what of it learns, workers, and memory."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import mindspore as ms
from mindspore import nn

from zoohub.errors import BatchTooLarge, RecipeError
from zoohub.framework import limit_onednn, warn_if_too_late
from zoohub.manifest.entry import NetworkSpec
from zoohub.networks.loading import create_network
from zoohub.training.batch_norm import Synchronised
from zoohub.training.data.batches import Plan
from zoohub.training.data.classes import same_classes
from zoohub.training.interrupts import interruptible
from zoohub.training.layers import belongs, frozen_names, layer_scales
from zoohub.training.recipe import TrainingRun
from zoohub.training.start import Start, own_file
from zoohub.training.trainer import Arrays, Trainer

P = TypeVar("P")
Say = Callable[[str], object]
_NO_MEMORY = ("out of memory", "memory not enough", "allocate memory", "memory isn't enough")


@dataclass(frozen=True)
class Workers:
    """How many processes train together, and which of them this is."""

    count: int = 1
    rank: int = 0


def check_batch(recipe: TrainingRun, workers: Workers) -> None:
    """See that the batch can be shared by the workers, and computed in micro-batches.

    Raises:
        RecipeError: it cannot.
    """
    share, left = divmod(recipe.batch_size, workers.count)
    if left:
        raise RecipeError(
            f"batch_size {recipe.batch_size} cannot be shared by {workers.count} workers; "
            f"{share * workers.count or workers.count} can"
        )
    if recipe.micro_batch is not None and share % recipe.micro_batch:
        raise RecipeError(f"micro_batch {recipe.micro_batch} does not divide {share}")


def starting_network(
    recipe: TrainingRun, start: Start, classes: Sequence[str], say: Say = lambda text: None
) -> tuple[nn.Cell, bool]:
    """The network with its starting weights, and whether its head is new.

    The checkpoint's own head stays only where `classes` are the checkpoint's, by name. Sets
    MindSpore's mode and seed.

    Raises:
        RecipeError: the head must be new and is not known, or the device cannot compute as `amp`
            says.
    """
    warn_if_too_late(limit_onednn())
    set_mode(recipe, say)
    ms.set_seed(recipe.seed)
    count = len(classes)
    if start.path is None:
        return in_precision(_fresh_network(start.spec, count), recipe.amp), True
    net, report = create_network(start.spec, start.path, num_classes=count)
    same = same_classes(tuple(classes), start.classes)
    if report is not None and not report.replaced and not same:
        _renew_head(net, start.spec, count)
    if not same:
        source = own_file(recipe.checkpoint) or f"{recipe.model}@{recipe.checkpoint}"
        say(f"a new head for {count} classes; all else starts from {source}")
    return in_precision(net, recipe.amp), not same


def announce(recipe: TrainingRun, train: int, validation: int, say: Say) -> None:
    """Say what begins: until the first step there is nothing else to see."""
    compiled = "; MindSpore compiles the network for the first step"
    say(
        f"{train} pictures to train on, {validation} to validate"
        + (compiled if recipe.mode == "graph" else "")
    )


def set_mode(recipe: TrainingRun, say: Say) -> None:
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
    arguments = {**spec.arguments, "num_classes": classes}
    return create_network(dataclasses.replace(spec, arguments=arguments), None)[0]


def _renew_head(net: nn.Cell, spec: NetworkSpec, classes: int) -> None:
    """Give the head initial values: other classes than the checkpoint's, though as many."""
    if spec.head is None:
        raise RecipeError(
            f"which part of {spec.builder} is its head is not known, so it cannot learn other "
            "classes; start from fresh weights (--scratch), or give the recipe a `network` with "
            "`head`"
        )
    values = {p.name: p for p in _fresh_network(spec, classes).get_parameters()}
    for parameter in net.get_parameters():
        if any(belongs(parameter.name, prefix) for prefix in spec.head.split()):
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


def make_trainer(
    net: nn.Cell,
    recipe: TrainingRun,
    start: Start,
    plan: Plan,
    *,
    trains: nn.Cell | None = None,
    loss: nn.Cell | None = None,
) -> Trainer:
    """The trainer of `net`: which parameters learn, and how fast, as the recipe says.

    Args:
        net: the network.
        recipe: of the run.
        start: what it starts from; names the head.
        plan: of this worker.
        trains: the cell around `net` whose output goes to the loss; None is `net`.
        loss: takes that output and the targets; None is the cross entropy.

    Raises:
        RecipeError: a frozen part does not exist.
    """
    parameters = net.trainable_params()
    names = [p.name for p in parameters]
    frozen = frozen_names(names, recipe.frozen)
    head = (start.spec.head or "").split()
    scales = dict(zip(names, layer_scales(names, recipe.layer_decay, head), strict=True))
    trained = [p for p in parameters if p.name not in frozen]
    return Trainer(
        trains or net,
        recipe,
        trained,
        [scales[p.name] for p in trained],
        accumulate=plan.accumulate,
        workers=plan.workers,
        rank=plan.rank,
        loss=loss,
        network=net,
    )


def fit(
    recipe: TrainingRun,
    workers: Workers,
    count: int,
    *,
    make: Callable[[Plan], Trainer],
    run: Callable[[Trainer, Plan, P], P],
    begin: Callable[[], P],
    load: Callable[[], tuple[Arrays, P] | None],
    say: Say,
) -> tuple[Trainer, P]:
    """Train to the end, from a saved state where there is one.

    Where the memory does not suffice, the batch is computed in halves, and in halves of those,
    with the gradients added up: the global batch and the learning rate stay. What was saved by
    then is gone on from.

    Args:
        recipe: of the run.
        workers: how many train together, and which this is.
        count: pictures to train on.
        make: gives a plan's trainer, on the same network each time.
        run: trains to the end from a progress, and returns where that is.
        begin: the progress of a run that has not begun.
        load: gives a saved state, or None.
        say: is told of smaller batches.

    Raises:
        CheckpointMismatch: the saved state is another run's.
        BatchTooLarge: one of several workers' memory does not suffice.
    """
    first: Arrays | None = None
    micro = recipe.micro_batch
    while True:
        plan = Plan(count, recipe.batch_size, workers.count, workers.rank, micro)
        trainer = make(plan)
        synced = Synchronised(trainer.net, workers.count if recipe.sync_batch_norm else 1)
        state = load()
        if state is not None:
            trainer.restore(state[0])
        elif first is not None:
            trainer.restore(first)
        first = first or trainer.state()
        try:
            with interruptible():
                return trainer, run(trainer, plan, state[1] if state is not None else begin())
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error) or plan.micro_batch == 1:
                raise
            micro = next_smaller(plan.micro_batch)
            if workers.count > 1:  # the others wait in the middle of a step
                raise BatchTooLarge(
                    f"{plan.micro_batch} pictures at once do not fit into a worker's memory; "
                    f"start again with --set micro_batch={micro}: the batch stays "
                    f"{recipe.batch_size}"
                ) from error
            say(smaller_parts(plan.micro_batch, micro, recipe.batch_size))
        finally:
            trainer.release()
            synced.restore()


def smaller_parts(before: int, after: int, batch: int) -> str:
    """What to say where the memory does not suffice."""
    return (
        f"{before} pictures at once do not fit into memory: computing {after} at a time and "
        f"adding up the gradients; the batch stays {batch}"
    )


def next_smaller(size: int) -> int:
    """The largest part that `size` pictures can be cut into equally: a half, where that goes."""
    return next(part for part in range(size // 2, 0, -1) if size % part == 0)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether MindSpore (or Python) ran out of memory."""
    text = str(error).lower()
    return isinstance(error, MemoryError) or any(phrase in text for phrase in _NO_MEMORY)
