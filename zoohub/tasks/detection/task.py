"""Objects in pictures: their classes and boxes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from zoohub.errors import DataError, RecipeError
from zoohub.inputs.picture import Picture
from zoohub.manifest.entry import BoxContract, InputContract, NetworkSpec
from zoohub.networks.families import find_family, has_family
from zoohub.outputs import Form
from zoohub.outputs.form import Array
from zoohub.running.runner import Runner
from zoohub.tasks.contract import (
    Curve,
    Figure,
    Finished,
    InFile,
    Metric,
    MicroBatch,
    Panels,
    Random,
    Readers,
    Row,
    Task,
    TrainingRow,
    TrainingRows,
)
from zoohub.tasks.detection import SERVES
from zoohub.tasks.detection.export import Suppression, comparable_boxes
from zoohub.tasks.detection.interpret import DetectionOptions, interpret_boxes
from zoohub.tasks.detection.pictures import detector_rows
from zoohub.tasks.detection.regions.search import is_two_stage, search_objects
from zoohub.tasks.detection.rules import measured_rules, shown_rules
from zoohub.tasks.detection.samples import BoxSamples, Objects, box_count
from zoohub.tasks.results import Json, Label, Prediction
from zoohub.tasks.samples import Samples, Splits

if TYPE_CHECKING:
    from mindspore import nn
    from PIL import Image

    from zoohub.networks.family import LossRequest
    from zoohub.tasks.detection.recipe import BoxData, DetectionRecipe


class DetectionTask(Task["DetectionRecipe", "Objects"]):
    """See `Task`; a sample's target is the objects in it."""

    serves = SERVES
    title = "detect objects in pictures"
    figures = (
        Figure("map", "mAP"),
        Figure("map50", "mAP@0.5"),
        Figure("map75", "mAP@0.75"),
        Figure("mask_map", "mAP of masks"),
        Figure("mask_map50", "mAP@0.5 of masks"),
        Figure("mask_map75", "mAP@0.75 of masks"),
    )
    published = ("map", "map50")
    headline = ("map50", "map")
    best = ("map",)
    instead = MappingProxyType({"map": "mask_map", "map50": "mask_map50"})
    epoch_figures = ("map", "map50")
    options = DetectionOptions
    learns_from = (
        "pictures with boxes: a data.yaml in YOLO's format, a .json file in COCO's, or a folder in "
        "Pascal VOC's"
    )
    expected = "a data.yaml in YOLO's format, a .json file in COCO's or a folder in Pascal VOC's"
    drawings = "detections"
    formats = ("coco",)
    counts_left_out = True
    measuring_batch = 16
    curve: ClassVar[Curve] = {
        "loss": {"training": "loss"},
        "precision (validation)": {"mAP@0.5": "validation_map50", "mAP": "validation_map"},
        "precision of masks (validation)": {
            "mAP@0.5": "validation_mask_map50",
            "mAP": "validation_mask_map",
        },
    }
    split_title = "boxes"

    @property
    def recipe(self) -> type[DetectionRecipe]:
        """See `Task`."""
        from zoohub.tasks.detection.recipe import DetectionRecipe

        return DetectionRecipe

    @property
    def readers(self) -> Readers[Objects]:
        """See `Task`."""
        from zoohub.tasks.detection.readers import BoxesReader, ScenesReader

        return (ScenesReader(), BoxesReader())

    def check_network(self, network: NetworkSpec, training: InputContract | None = None) -> None:
        """See `Task`."""
        if training is None or not has_family(network.builder):
            return
        family = find_family(network.builder)
        if family.loss is None:
            raise RecipeError(_no_loss(network.builder))
        problem = family.size_problem(network.arguments, training.size)
        if problem is not None:
            raise RecipeError(f"input.size: {problem}")

    def prepare(
        self, contract: InputContract, options: object = None
    ) -> Callable[[Picture], tuple[Row, ...]]:
        """See `Task`."""
        return detector_rows(contract)

    def infer(
        self,
        runners: Mapping[str, Runner],
        batch: Mapping[str, Array],
        contract: InputContract,
        rows: Sequence[Row] = (),
    ) -> dict[str, Array]:
        """One call, or those of a two-stage detector's parts."""
        if is_two_stage(runners):
            return search_objects(runners, batch["image"])
        return super().infer(runners, batch, contract, rows)

    def in_file(self, contract: InputContract | None) -> InFile:
        """Non-maximum suppression, as far as ONNX has the publisher's rules."""
        boxes = contract.boxes if contract is not None else None
        return Suppression(shown_rules(boxes or BoxContract()))

    def comparable(self, name: str, output: Array) -> tuple[Array, ...]:
        """See `Task`."""
        return comparable_boxes(name, output)

    def interpret(
        self,
        form: Form,
        rows: Sequence[Row],
        names: tuple[str, ...] | None,
        options: DetectionOptions,
    ) -> list[tuple[Label, ...]]:
        """See `Task`."""
        return interpret_boxes(form, rows, names, options)

    def draw(self, input: Picture, results: Sequence[Label]) -> Image.Image:
        """Each box with its class and score."""
        from zoohub.tasks.detection.drawing import draw_boxes

        return draw_boxes(input, results)

    def formatted(
        self, format: str, prediction: Prediction[Label], categories: Sequence[int] | None
    ) -> list[Json]:
        """COCO's results."""
        from zoohub.tasks.detection.coco_results import coco_results

        return list(coco_results(prediction, categories))

    def metric(self, classes: tuple[str, ...]) -> Metric:
        """See `Task`."""
        from zoohub.tasks.detection.metric import Detection

        return Detection(classes)

    def measurable(self, samples: BoxSamples) -> bool:
        """Whether there are boxes to find."""
        return box_count(samples) > 0

    def present(self, samples: BoxSamples) -> Iterable[int]:
        """See `Task`."""
        for objects in samples.targets:
            for boxes in (objects.boxes, objects.crowds):
                yield from boxes[:, 0].astype(np.int64).tolist()

    def renumbered(self, samples: BoxSamples, places: NDArray[np.int64]) -> BoxSamples:
        """See `Task`."""
        targets = [objects.renumbered(places) for objects in samples.targets]
        return Samples(samples.inputs, targets, samples.names)

    def warn(self, confidence: float | None, contract: InputContract) -> tuple[str, ...]:
        """See `Task`."""
        least = measured_rules(contract.boxes or BoxContract()).confidence
        if confidence is None or confidence <= least:
            return ()
        return (
            f"the file's own NMS leaves out boxes that score below {confidence:g}, which "
            f"the evaluation counts (from {least:g}): its precision is lower than the "
            "network's; export without --nms to measure that",
        )

    def default_recipe(
        self, model: str, checkpoint: str | None, data: BoxData, contract: InputContract, count: int
    ) -> DetectionRecipe:
        """See `Task`."""
        from zoohub.tasks.detection.recipe import default_recipe

        return default_recipe(model, checkpoint, data, count)

    def training_rows(
        self, samples: BoxSamples, contract: InputContract, recipe: DetectionRecipe
    ) -> TrainingRows:
        """See `Task`."""
        from zoohub.tasks.detection.rows import TrainingPictures

        return TrainingPictures(samples, contract, recipe)

    def fitted(
        self,
        recipe: DetectionRecipe,
        splits: Splits[Objects],
        network: NetworkSpec,
        known: tuple[str, ...] | None,
    ) -> Splits[Objects]:
        """With the objects' shapes where the network learns from them, else without."""
        from zoohub.tasks.detection.shaped import shaped_alone, without_shapes

        if find_family(network.builder).learns_shapes(network.arguments):
            return shaped_alone(splits, network.builder)
        return without_shapes(splits)

    def step_batches(
        self,
        rows: TrainingRow,
        recipe: DetectionRecipe,
        classes: int,
        random: Random,
        parts: int,
    ) -> list[MicroBatch]:
        """The targets of a part are all of the step's, its own first: the loss weighs by them."""
        images, targets = rows.inputs["image"], rows.targets["boxes"]
        owners = [rows.targets["owners"]] if "owners" in rows.targets else []
        size = len(images) // parts
        return [
            (
                (images[start : start + size],),
                (
                    np.roll(targets, -start, axis=0),
                    *(array[start : start + size] for array in owners),
                ),
            )
            for start in range(0, len(images), size)
        ]

    def evaluates(self, recipe: DetectionRecipe, epoch: int) -> bool:
        """See `Task`."""
        return epoch % recipe.evaluate_every == 0

    def loss(self, net: nn.Cell, request: LossRequest) -> tuple[nn.Cell, nn.Cell]:
        """There is none that would fit every detector."""
        raise DataError(_no_loss(type(net).__name__))

    def weighed(self, recipe: DetectionRecipe, weights: Mapping[str, float]) -> DetectionRecipe:
        """See `Task`."""
        left_open = {key: w for key, w in weights.items() if getattr(recipe.loss, key) is None}
        return replace(recipe, loss=replace(recipe.loss, **left_open))

    def loss_weights(self, recipe: DetectionRecipe) -> Mapping[str, float]:
        """See `Task`."""
        return {name: value for name, value in asdict(recipe.loss).items() if value is not None}

    def split_value(self, target: Objects, classes: tuple[str, ...]) -> object:
        """How many boxes there are."""
        return len(target.boxes)

    def panels(self, finished: Finished[DetectionRecipe, Objects]) -> Panels:
        """See `Task`."""
        from zoohub.tasks.detection.panels import detection_panels

        return detection_panels(finished)


def _no_loss(network: str) -> str:
    return (
        f"{network} cannot be trained: its family has no loss; the YOLOs that mindyolo published "
        "have one, such as yolov8n"
    )


TASK = DetectionTask()
