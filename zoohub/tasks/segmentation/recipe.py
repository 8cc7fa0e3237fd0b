"""A segmenter's recipe: its data, its random changes, and settings for the data's size."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from zoohub.core.binding import number
from zoohub.tasks.recipe import ClassWeights, Optimizer, Recipe, Schedule, planned_epochs


@dataclass(frozen=True, slots=True)
class MaskScenesData:
    """Scenes composed from the UCI digits (see `zoohub.tasks.detection.scenes`), each pixel a
    digit's class or the background's; `size` is their side in pixels. With `ink` there are two
    classes only: what is of a digit, whichever, and what is not."""

    kind: Literal["digit-scenes"]
    size: int = number(128, low=32)
    train: int = number(2000, low=1)
    validation: int = number(100, low=0)
    test: int = number(200, low=0)
    ink: bool = False


@dataclass(frozen=True, slots=True)
class MasksData:
    """Pictures and masks of the same names in two folders, or Pascal VOC's folders.

    Without a part to validate on, the share `validation` of the pictures is split off by `seed`.
    """

    kind: Literal["masks"]
    path: str
    validation: float = number(0.2, low=0.0, high=0.9)
    seed: int = number(0, low=0)


@dataclass(frozen=True, slots=True)
class CocoMasksData:
    """A COCO .json file with polygons or run-length masks; class 0 is the background.

    Beside a lone `…train….json`, `…val….json` is taken for validation; else as for `masks`.
    """

    kind: Literal["coco-masks"]
    path: str
    validation: float = number(0.2, low=0.0, high=0.9)
    seed: int = number(0, low=0)


MaskData = MaskScenesData | MasksData | CocoMasksData


@dataclass(frozen=True, slots=True)
class MaskAugment:
    """Random changes of the training pictures and their masks alike.

    `scale` is the range of the picture's size beside the contract's own (1: as it is), from which
    a piece of the input's size is cut; `flip` and `upside_down` are the chances of mirror images,
    left-right and top-bottom; `colour` is the largest relative change of brightness and contrast.
    """

    scale: tuple[float, float] = (1.0, 1.0)
    flip: float = number(0.0, low=0.0, high=1.0)
    upside_down: float = number(0.0, low=0.0, high=1.0)
    colour: float = number(0.0, low=0.0, high=1.0)

    def __post_init__(self) -> None:
        if not 0.1 <= self.scale[0] <= self.scale[1] <= 10:
            raise ValueError("scale must be two rising numbers from 0.1 to 10")


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentationRecipe(Recipe):
    """One training run of a segmenter. `evaluate_every` counts epochs; `class_weights` multiply
    each class's share of the loss, which is the weighted mean over the pixels: see
    `zoohub.tasks.class_weights`; `balanced` counts pixels (None: all count the same)."""

    task: Literal["semantic-segmentation"]
    data: MaskData
    augment: MaskAugment = field(default_factory=MaskAugment)
    class_weights: ClassWeights | None = None
    batch_size: int = number(8, low=1)
    evaluate_every: int = number(1, low=1)


def default_recipe(
    model: str, checkpoint: str | None, data: MaskData, pictures: int
) -> SegmentationRecipe:
    """Sensible settings for `pictures` training pictures: about 1,500 steps, 5 to 100 epochs.

    Pictures between half and one and a half times their size, mirrored where a mirror image is
    still the same thing; a pretrained network learns gently, a fresh one four times as fast.
    """
    batch = 8 if pictures >= 32 else 4
    epochs = planned_epochs(1500, pictures, batch, fewest=5, most=100)
    fresh = checkpoint is None
    drawn = isinstance(data, MaskScenesData)
    return SegmentationRecipe(
        task="semantic-segmentation",
        model=model,
        checkpoint=checkpoint,
        data=data,
        augment=MaskAugment(scale=(0.75, 1.25) if drawn else (0.5, 1.5), flip=0.0 if drawn else 0.5,
                            colour=0.2),
        optimizer=Optimizer(name="adamw", lr=2e-3 if fresh else 5e-4, weight_decay=0.01, clip=10.0),
        schedule=Schedule(warmup=min(1.0, epochs / 10), final=0.01),
        epochs=epochs,
        batch_size=min(batch, max(1, pictures)),
        layer_decay=None,
    )  # fmt: skip
