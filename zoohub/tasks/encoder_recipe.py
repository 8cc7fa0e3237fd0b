"""How long and how fast an encoder of text learns under a head, by the amount of data."""

from __future__ import annotations

from typing import TypedDict

from zoohub.tasks.recipe import Optimizer, Schedule, planned_epochs


class EncoderSettings(TypedDict):
    """These of a recipe's values."""

    optimizer: Optimizer
    schedule: Schedule
    epochs: int
    batch_size: int


def encoder_settings(
    count: int, lr: float, *, steps: int = 1500, epochs: tuple[int, int] = (3, 30)
) -> EncoderSettings:
    """About `steps` steps over `count` samples, in so many epochs at least and at most, by AdamW at
    `lr` with a line down to 0 (BERT's paper: 2e-5 to 5e-5 for a pretrained network)."""
    batch = min(32 if count >= 256 else 16, max(1, count))
    fewest, most = epochs
    planned = planned_epochs(steps, count, batch, fewest=fewest, most=most)
    return {
        "optimizer": Optimizer(name="adamw", lr=lr, weight_decay=0.01, clip=1.0),
        "schedule": Schedule(name="linear", warmup=min(1.0, planned / 10)),
        "epochs": planned,
        "batch_size": batch,
    }
