"""A detector's recipe: its data, its random changes, its loss, and settings for the data's size."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from zoohub.core.binding import number
from zoohub.tasks.recipe import Optimizer, Recipe, Schedule, planned_epochs


@dataclass(frozen=True, slots=True)
class ScenesData:
    """Scenes composed from the UCI digits (see `zoohub.tasks.detection.scenes`).

    `train`, `validation` and `test` count the scenes of each part, `size` is their side in
    pixels.
    """

    kind: Literal["digit-scenes"]
    size: int = number(128, low=32)
    train: int = number(4000, low=1)
    validation: int = number(200, low=0)
    test: int = number(400, low=0)


@dataclass(frozen=True, slots=True)
class BoxesData:
    """A data.yaml in YOLO's format (`train`, `val`, perhaps `test`, `names`), a COCO .json file, or
    a folder of Pascal VOC's (`Annotations/`, `JPEGImages/`, perhaps `ImageSets/Main/`).

    In a data.yaml, `train` and `val` may be COCO .json files too. Beside a lone
    `…train….json`, `…val….json` is taken for validation. Where there is no such part, the share
    `validation` of the pictures is split off by `seed`.
    """

    kind: Literal["boxes"]
    path: str
    validation: float = number(0.2, low=0.0, high=0.9)
    seed: int = number(0, low=0)


BoxData = ScenesData | BoxesData


@dataclass(frozen=True, slots=True)
class BoxAugment:
    """Random changes of training pictures and their boxes; the defaults are YOLOv5's.

    `mosaic` is the chance of four pictures in one, `last` the number of last epochs without it.
    `scale` is the largest change of size (0.5: 0.5 to 1.5 times), `shift` the largest way as a
    part of the input's side (pictures alone), `flip` the chance of a left-right mirror image;
    `hue`, `saturation` and `value` are the largest relative changes of colour.
    """

    mosaic: float = number(1.0, low=0.0, high=1.0)
    last: int = number(0, low=0)
    scale: float = number(0.5, low=0.0, high=0.9)
    shift: float = number(0.1, low=0.0, high=0.9)
    flip: float = number(0.5, low=0.0, high=1.0)
    hue: float = number(0.015, low=0.0, high=0.5)
    saturation: float = number(0.7, low=0.0, high=1.0)
    value: float = number(0.4, low=0.0, high=1.0)


@dataclass(frozen=True, slots=True)
class LossWeights:
    """What each part of the loss counts for; None leaves it at the figure of the network's own
    publisher, which the run's copy spells out. Not every loss has every part.

    `box` is 1 - IoU, `objectness` and `classes` are binary cross entropies, `distances` the
    distribution focal loss of YOLOv8 to YOLOv11, `masks` the binary cross entropy of masks inside
    their boxes, `l1` what YOLOX's boxes are off in cells (their
    centre, and the logarithm of their sides). `anchor_ratio` is how many times an anchor may
    differ from a box that it answers for. Where there are anchors, the figures hold at 640×640 and
    80 classes, and are scaled from there.
    """

    box: float | None = number(None, low=0.0)
    objectness: float | None = number(None, low=0.0)
    classes: float | None = number(None, low=0.0)
    distances: float | None = number(None, low=0.0)
    masks: float | None = number(None, low=0.0)
    l1: float | None = number(None, low=0.0)
    anchor_ratio: float | None = number(None, low=1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectionRecipe(Recipe):
    """One training run of a detector.

    `most_boxes` is how many boxes a training picture has at most (of more, the largest stay).
    `loss` weighs the parts of the loss. `evaluate_every` counts epochs.
    """

    task: Literal["object-detection"]
    data: BoxData
    augment: BoxAugment = field(default_factory=BoxAugment)
    loss: LossWeights = field(default_factory=LossWeights)
    most_boxes: int = number(64, low=1)
    batch_size: int = number(16, low=1)
    evaluate_every: int = number(1, low=1)


def default_recipe(
    model: str, checkpoint: str | None, data: BoxData, pictures: int
) -> DetectionRecipe:
    """Sensible settings for `pictures` training pictures: about 1,500 steps, 5 to 100 epochs.

    Mosaics but for the last tenth of the epochs, YOLOv5's changes of size and colour, averaged
    weights; a pretrained network learns gently, a fresh one four times as fast.
    """
    batch = 16 if pictures >= 64 else 8
    epochs = planned_epochs(1500, pictures, batch, fewest=5, most=100)
    fresh = checkpoint is None
    mirrored = 0.0 if isinstance(data, ScenesData) else 0.5
    return DetectionRecipe(
        task="object-detection",
        model=model,
        checkpoint=checkpoint,
        data=data,
        augment=BoxAugment(last=max(1, epochs // 10), flip=mirrored),
        optimizer=Optimizer(name="adamw", lr=2e-3 if fresh else 5e-4, weight_decay=0.01, clip=10.0),
        schedule=Schedule(warmup=min(1.0, epochs / 10), final=0.01),
        epochs=epochs,
        batch_size=min(batch, max(1, pictures)),
        ema=0.998,
    )
