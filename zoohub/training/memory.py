"""A run to its end, in smaller parts where the memory does not suffice."""

from __future__ import annotations

from pathlib import Path

from zoohub.core.interrupts import interruptible
from zoohub.errors import BatchTooLarge
from zoohub.training.batches import Plan
from zoohub.training.epochs import Course, Learner, run_epochs, whole_learner
from zoohub.training.frozen.learning import for_head, frozen_learner, with_body
from zoohub.training.network import build_network, build_trainer
from zoohub.training.options import Say
from zoohub.training.reports import Hooks, Load, Progress
from zoohub.training.session import Session
from zoohub.training.steps.batch_norm import Synchronised
from zoohub.training.steps.trainer import Arrays, Trainer

_NO_MEMORY = ("out of memory", "memory not enough", "allocate memory", "memory isn't enough")


def run_session(
    session: Session,
    hooks: Hooks,
    *,
    load: Load = lambda: None,
    say: Say = lambda text: None,
    kept: Path | None = None,
) -> tuple[Learner, Trainer, Progress]:
    """Train to the end; `load` gives a saved state to continue from, or None.

    `kept` is the folder for what is computed once, with `freeze`; None keeps it in memory.

    Where the memory does not suffice, the batch is computed in halves, and in halves of those,
    with the gradients added up: the global batch and the learning rate stay. What was saved by
    then is gone on from.

    Raises:
        CheckpointMismatch: the saved state is another run's.
        BatchTooLarge: one of several workers' memory does not suffice.
    """
    net = build_network(session, say)
    learner = whole_learner(session, net)
    if session.recipe.freeze is not None:
        learner = frozen_learner(session, net, kept, say)
        hooks, load = with_body(net, hooks), for_head(learner.net, load)
    recipe, workers = session.recipe, session.workers
    first: Arrays | None = None
    micro = recipe.micro_batch
    while True:
        plan = Plan(
            len(session.splits.train), recipe.batch_size, workers.count, workers.rank, micro
        )
        trainer = build_trainer(session, learner.net, plan)
        synced = Synchronised(trainer.net, workers.count if recipe.sync_batch_norm else 1)
        state = load()
        if state is not None:
            trainer.restore(state[0])
        elif first is not None:
            trainer.restore(first)
        first = first or trainer.state()
        course = Course(session, learner, trainer, plan, hooks, session.noting(say))
        try:
            with interruptible():
                progress = run_epochs(course, state[1] if state is not None else Progress())
                return learner, trainer, progress
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error) or plan.micro_batch == 1:
                raise
            micro = next_smaller(plan.micro_batch)
            if workers.count > 1:  # the others wait in the middle of a step
                raise BatchTooLarge(
                    f"{plan.micro_batch} samples at once do not fit into a worker's memory; "
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
        f"{before} samples at once do not fit into memory: computing {after} at a time and "
        f"adding up the gradients; the batch stays {batch}"
    )


def next_smaller(size: int) -> int:
    """The largest part that `size` pictures can be cut into equally: a half, where that goes."""
    return next(part for part in range(size // 2, 0, -1) if size % part == 0)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether MindSpore (or Python) ran out of memory."""
    text = str(error).lower()
    return isinstance(error, MemoryError) or any(phrase in text for phrase in _NO_MEMORY)
