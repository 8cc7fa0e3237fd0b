"""Sensible settings for the data's size, where a recipe or the user says nothing: pure."""

from __future__ import annotations

from zoohub.manifest.entry import InputContract
from zoohub.training.recipe import Augment, Data, Optimizer, Recipe, Schedule


def default_recipe(
    model: str, checkpoint: str | None, data: Data, contract: InputContract, pictures: int
) -> Recipe:
    """A recipe to adapt `model` to `pictures` training pictures.

    Few pictures get small batches and many epochs (about 1,500 steps in all, 5 to 60 epochs).
    Photographs are cropped, mirrored and recoloured; grey drawings (digits, letters) are moved a
    little, since a mirror image may be another class. A pretrained network learns gently with
    its early layers held back; a fresh one four times as fast.
    """
    batch = 32 if pictures >= 256 else 16 if pictures >= 64 else 8
    steps = max(1, pictures // batch)
    epochs = min(60, max(5, round(1500 / steps)))
    fresh = checkpoint is None
    if contract.colour == "L":
        augment = Augment(rotate=10, shift=0.08, zoom=0.1, shear=10)
    else:
        augment = Augment(area=(0.35, 1.0), flip=0.5, colour=0.2)
    return Recipe(
        model=model,
        checkpoint=checkpoint,
        data=data,
        augment=augment,
        optimizer=Optimizer(name="adamw", lr=2e-3 if fresh else 5e-4, weight_decay=0.05),
        schedule=Schedule(warmup=min(1.0, epochs / 10)),
        epochs=epochs,
        batch_size=min(batch, max(1, pictures)),
        label_smoothing=0.05,
        layer_decay=None if fresh else 0.85,
    )
