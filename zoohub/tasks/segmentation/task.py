"""Pictures, and the class of each of their pixels."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from zoohub.errors import DataError
from zoohub.inputs.picture import Picture
from zoohub.manifest.entry import InputContract
from zoohub.outputs import ClassMap, Form
from zoohub.tasks.class_weights import settled_weights
from zoohub.tasks.contract import (
    Curve,
    Figure,
    Finished,
    Metric,
    Panels,
    Readers,
    Row,
    Task,
    TrainingRows,
)
from zoohub.tasks.pictures import picture_rows
from zoohub.tasks.samples import Samples, Splits
from zoohub.tasks.segmentation import SERVES
from zoohub.tasks.segmentation.interpret import Region, SegmentationOptions, interpret_map
from zoohub.tasks.segmentation.masks import IGNORED, Mask, MaskSamples, pixel_counts

if TYPE_CHECKING:
    from mindspore import nn
    from PIL import Image

    from zoohub.networks.family import LossRequest
    from zoohub.tasks.segmentation.recipe import MaskData, SegmentationRecipe


class SegmentationTask(Task["SegmentationRecipe", "Mask"]):
    """See `Task`; a sample's target is the mask of its picture."""

    serves = SERVES
    title = "tell the class of each pixel"
    figures = (Figure("miou", "mean IoU"), Figure("accuracy", "pixel accuracy"))
    headline = ("miou", "accuracy")
    best = ("miou",)
    published = ("miou",)
    epoch_figures = ("miou", "accuracy")
    options = SegmentationOptions
    learns_from = "pictures with masks: folders images/ and masks/, Pascal VOC's, or a COCO .json"
    expected = "a folder with images/ and masks/, or a COCO .json with segmentations"
    drawings = "class maps"
    drawing_suffix = ".png"
    counts_left_out = True
    builds_on = ("detection",)  # its scenes and its reading of COCO's files
    forgotten = ("confusion",)
    curve: ClassVar[Curve] = {
        "loss": {"training": "loss"},
        "validation": {"mean IoU": "validation_miou", "pixels": "validation_accuracy"},
    }
    split_title = "classes"

    @property
    def recipe(self) -> type[SegmentationRecipe]:
        """See `Task`."""
        from zoohub.tasks.segmentation.recipe import SegmentationRecipe

        return SegmentationRecipe

    @property
    def readers(self) -> Readers[Mask]:
        """See `Task`."""
        from zoohub.tasks.segmentation.coco_masks import CocoMasksReader
        from zoohub.tasks.segmentation.folders import MasksReader
        from zoohub.tasks.segmentation.scenes import MaskScenesReader

        return (MaskScenesReader(), MasksReader(), CocoMasksReader())

    def prepare(
        self, contract: InputContract, options: object = None
    ) -> Callable[[Picture], tuple[Row, ...]]:
        """See `Task`."""
        return picture_rows(contract)

    def interpret(
        self,
        form: Form,
        rows: Sequence[Row],
        names: tuple[str, ...] | None,
        options: SegmentationOptions,
    ) -> list[tuple[Region, ...]]:
        """See `Task`."""
        return interpret_map(_class_map(form), rows, names, options.threshold)

    def draw(self, input: Picture, results: Sequence[Region]) -> Image.Image:
        """A palette's picture: each pixel's value is its class, 255 where there is none."""
        from zoohub.inputs.picture import read_image
        from zoohub.tasks.segmentation.drawing import map_of, palette_picture

        size = results[0].mask.shape if results else read_image(input).shape[:2]
        return palette_picture(map_of(results, (size[0], size[1])))

    def illustrate(self, input: Picture, results: Sequence[Region]) -> Image.Image:
        """The picture with its regions in colours over it."""
        from zoohub.inputs.picture import read_image
        from zoohub.tasks.segmentation.drawing import map_of, overlay

        height, width = read_image(input).shape[:2]
        return overlay(input, map_of(results, (height, width)))

    def metric(self, classes: tuple[str, ...]) -> Metric:
        """See `Task`."""
        from zoohub.tasks.segmentation.metric import Segmentation

        return Segmentation(classes)

    def present(self, samples: MaskSamples) -> Iterable[int]:
        """See `Task`."""
        for mask in samples.targets:
            try:
                yield from (int(i) for i in np.unique(mask.read()) if i != IGNORED)
            except DataError:  # counted where it is measured
                continue

    def renumbered(self, samples: MaskSamples, places: NDArray[np.int64]) -> MaskSamples:
        """See `Task`."""
        targets = [mask.renumbered(places) for mask in samples.targets]
        return Samples(samples.inputs, targets, samples.names)

    def default_recipe(
        self,
        model: str,
        checkpoint: str | None,
        data: MaskData,
        contract: InputContract,
        count: int,
    ) -> SegmentationRecipe:
        """See `Task`."""
        from zoohub.tasks.segmentation.recipe import default_recipe

        return default_recipe(model, checkpoint, data, count)

    def training_rows(
        self, samples: MaskSamples, contract: InputContract, recipe: SegmentationRecipe
    ) -> TrainingRows:
        """See `Task`."""
        from zoohub.tasks.segmentation.rows import TrainingMasks

        return TrainingMasks(samples, contract, recipe.augment)

    def evaluates(self, recipe: SegmentationRecipe, epoch: int) -> bool:
        """See `Task`."""
        return epoch % recipe.evaluate_every == 0

    def loss(self, net: nn.Cell, request: LossRequest) -> tuple[nn.Cell, nn.Cell]:
        """The cross entropy of each pixel."""
        from zoohub.tasks.segmentation.loss import PixelCrossEntropy

        weights = tuple(request.weights.get(str(i), 1.0) for i in range(request.classes))
        return net, PixelCrossEntropy(request.classes, weights)

    def loss_weights(self, recipe: SegmentationRecipe) -> dict[str, float]:
        """Each class's, by its index."""
        weights = recipe.class_weights or ()
        assert isinstance(weights, tuple)
        return {str(i): weight for i, weight in enumerate(weights)}

    def settled(self, recipe: SegmentationRecipe, splits: Splits[Mask]) -> SegmentationRecipe:
        """With a weight for each class."""

        def count() -> NDArray[np.int64]:
            return pixel_counts(splits.train, len(splits.classes))

        weights = settled_weights(recipe.class_weights, splits.classes, count)
        return replace(recipe, class_weights=weights)

    def split_value(self, target: Mask, classes: tuple[str, ...]) -> object:
        """The classes that are in the mask."""
        try:
            return " ".join(classes[i] for i in np.unique(target.read()) if i < len(classes))
        except DataError:
            return ""

    def panels(self, finished: Finished[SegmentationRecipe, Mask]) -> Panels:
        """See `Task`."""
        from zoohub.tasks.segmentation.panels import segmentation_panels

        return segmentation_panels(finished)


def _class_map(form: Form) -> ClassMap:
    if not isinstance(form, ClassMap):
        raise DataError(f"expected a class map from the network; got {type(form).__name__}")
    return form


TASK = SegmentationTask()
