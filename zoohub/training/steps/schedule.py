"""The learning rate of every step, as a pure function."""

from __future__ import annotations

import math

from zoohub.tasks.recipe import Schedule


def learning_rate(schedule: Schedule, lr: float, step: int, steps: int, per_epoch: int) -> float:
    """The learning rate of optimiser step `step` (from 0) of `steps`.

    Warm-up rises linearly and reaches `lr` with its last step; the first step is not wasted at
    0. The way down starts there and ends at `final` × lr with step `steps - 1`.
    """
    warmup = min(round(schedule.warmup * per_epoch), steps)
    if step < warmup:
        return lr * (step + 1) / warmup
    if schedule.name == "constant":
        return lr
    way = (step - warmup) / max(1, steps - warmup - 1)
    left = (1 + math.cos(math.pi * way)) / 2 if schedule.name == "cosine" else 1 - way
    return lr * (schedule.final + (1 - schedule.final) * left)
