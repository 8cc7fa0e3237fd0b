"""A classifier's recipe: its data, its random changes, and settings for the data's size."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from zoohub.core.binding import number
from zoohub.manifest.entry import InputContract
from zoohub.tasks.recipe import ClassWeights, Optimizer, Recipe, Schedule, planned_epochs


@dataclass(frozen=True, slots=True)
class DigitsData:
    """The 1,797 UCI digits that scikit-learn carries (8×8 pixels), in five folds.

    `folds: interleaved` puts picture i into fold i % 5; `blocks` cuts five contiguous blocks, of
    which fold 4 is the last 360. `train`, `validation` and `test` name folds, `classes` keeps
    only some digits (all of them: None), and `part` keeps that share of the training pictures,
    evenly over the classes. zoohub ships fold 0 of `interleaved` and trains nothing on it.
    """

    kind: Literal["digits"]
    folds: Literal["interleaved", "blocks"] = "interleaved"
    train: tuple[int, ...] = (2, 3, 4)
    validation: tuple[int, ...] = (1,)
    test: tuple[int, ...] = ()
    classes: tuple[int, ...] | None = None
    part: float = number(1.0, low=0.0, high=1.0)

    def __post_init__(self) -> None:
        used = (*self.train, *self.validation, *self.test)
        if len(set(used)) != len(used) or not set(used) <= set(range(5)) or not self.train:
            raise ValueError("train, validation and test name different folds of 0 to 4")


@dataclass(frozen=True, slots=True)
class FolderData:
    """Pictures in a folder a class, or with `train/` and `val/` (and `test/`) above those.

    Without `val/` or `validation/`, the share `validation` of each class is split off by `seed`.
    """

    kind: Literal["folder"]
    path: str
    validation: float = number(0.2, low=0.0, high=0.9)
    seed: int = number(0, low=0)


@dataclass(frozen=True, slots=True)
class TableData:
    """A CSV or JSON Lines file with the columns `path`, `label` and perhaps `split`.

    Paths are relative to the file. `split` is train, val or test; where the column is missing
    the share `validation` of each class is split off by `seed`.
    """

    kind: Literal["table"]
    path: str
    validation: float = number(0.2, low=0.0, high=0.9)
    seed: int = number(0, low=0)


@dataclass(frozen=True, slots=True)
class ImageNetData:
    """ImageNet's validation pictures in one folder, and the file that says the class of each.

    `labels` is Caffe's `val.txt` (`ILSVRC2012_val_00000001.JPEG 65`, from 0, or a synset), or
    Kaggle's `LOC_val_solution.csv`. The pictures are those beside it, or in `pictures`. To train
    on them, the share `validation` of each class is split off by `seed`.
    """

    kind: Literal["imagenet"]
    labels: str
    pictures: str
    validation: float = number(0.2, low=0.0, high=0.9)
    seed: int = number(0, low=0)


Data = DigitsData | FolderData | TableData | ImageNetData


@dataclass(frozen=True, slots=True)
class Augment:
    """Random changes of the training pictures; the defaults change nothing.

    `area` is the range of the part of the picture a random crop keeps (1 is all), `flip` the
    chance of a left-right mirror image, `rotate` the largest angle in degrees, `shift` the
    largest way as a part of the picture's side, `zoom` the largest change of scale (0.1: 0.9 to
    1.1), `shear` the largest angle in degrees, `colour` the largest relative change of
    brightness, contrast and saturation, `erase` the chance of a blanked rectangle. `mixup` and
    `cutmix` are the alpha of their Beta distributions (Zhang et al. 2017, Yun et al. 2019); with
    both, each batch takes one of them by the toss of a coin.
    """

    area: tuple[float, float] | None = None
    flip: float = number(0.0, low=0.0, high=1.0)
    rotate: float = number(0.0, low=0.0, high=180.0)
    shift: float = number(0.0, low=0.0, high=1.0)
    zoom: float = number(0.0, low=0.0, high=0.9)
    shear: float = number(0.0, low=0.0, high=60.0)
    colour: float = number(0.0, low=0.0, high=1.0)
    erase: float = number(0.0, low=0.0, high=1.0)
    mixup: float = number(0.0, low=0.0)
    cutmix: float = number(0.0, low=0.0)

    def __post_init__(self) -> None:
        if self.area is not None and not 0 < self.area[0] <= self.area[1] <= 1:
            raise ValueError("area must be two rising numbers above 0 and up to 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassificationRecipe(Recipe):
    """One training run of a classifier.

    `class_weights` multiply what each class adds to the loss, whose mean is over the pictures:
    see `zoohub.tasks.class_weights` (None: all count the same).
    """

    data: Data
    augment: Augment = field(default_factory=Augment)
    class_weights: ClassWeights | None = None


def default_recipe(
    model: str, checkpoint: str | None, data: Data, contract: InputContract, pictures: int
) -> ClassificationRecipe:
    """A recipe to adapt `model` to `pictures` training pictures.

    Few pictures get small batches and many epochs (about 1,500 steps in all, 5 to 60 epochs).
    Photographs are cropped, mirrored and recoloured; grey drawings (digits, letters) are moved a
    little, since a mirror image may be another class. A pretrained network learns gently with
    its early layers held back; a fresh one four times as fast.
    """
    batch = 32 if pictures >= 256 else 16 if pictures >= 64 else 8
    epochs = planned_epochs(1500, pictures, batch, fewest=5, most=60)
    fresh = checkpoint is None
    if contract.colour == "L":
        augment = Augment(rotate=10, shift=0.08, zoom=0.1, shear=10)
    else:
        augment = Augment(area=(0.35, 1.0), flip=0.5, colour=0.2)
    return ClassificationRecipe(
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
