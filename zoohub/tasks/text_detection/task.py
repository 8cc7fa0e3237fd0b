"""Where text is in a picture: the outline of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from zoohub.core.extras import import_extra
from zoohub.errors import DataError, RecipeError
from zoohub.inputs.picture import Picture
from zoohub.manifest.entry import InputContract, NetworkSpec
from zoohub.networks.families import find_family, has_family
from zoohub.outputs import Form
from zoohub.running import Array, Runner
from zoohub.tasks.classless import Classless
from zoohub.tasks.contract import (
    Arrays,
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
from zoohub.tasks.detection.regions.search import MASKS, is_two_stage
from zoohub.tasks.text_detection import SERVES
from zoohub.tasks.text_detection.boxed_texts import search_boxes
from zoohub.tasks.text_detection.interpret import TextArea, TextDetectionOptions, interpret_texts
from zoohub.tasks.text_detection.masked_texts import search_texts
from zoohub.tasks.text_detection.rows import collate_pages, infer_pages, page_rows
from zoohub.tasks.text_detection.samples import Texts, TextSamples, text_count

if TYPE_CHECKING:
    from mindspore import nn
    from PIL import Image

    from zoohub.networks.family import LossRequest
    from zoohub.tasks.text_detection.recipe import TextDetectionRecipe, TextsData


class TextDetectionTask(Classless, Task["TextDetectionRecipe", "Texts"]):
    """See `Task`; a sample's target are the outlines of its texts."""

    serves = SERVES
    builds_on = ("detection",)  # how two-stage detectors are asked
    title = "find text in pictures"
    figures = (
        Figure("hmean", "hmean"),
        Figure("precision", "precision"),
        Figure("recall", "recall"),
    )
    headline = ("hmean", "precision", "recall")
    best = ("hmean",)
    published = ("precision", "recall")
    epoch_figures = ("hmean", "precision", "recall")
    options = TextDetectionOptions
    learns_from = (
        "pictures with outlines of text: a folder with a gt_NAME.txt for each (ICDAR 2015), or "
        "MindOCR's det_gt.txt"
    )
    expected = "a folder with pictures and gt_NAME.txt files, or a det_gt.txt"
    drawings = "outlines of text"
    counts_left_out = True
    measuring_batch = 4
    curve: ClassVar[Curve] = {
        "loss": {"training": "loss"},
        "validation": {"hmean": "validation_hmean", "recall": "validation_recall"},
    }
    split_title = "texts"

    @property
    def recipe(self) -> type[TextDetectionRecipe]:
        """See `Task`."""
        from zoohub.tasks.text_detection.recipe import TextDetectionRecipe

        return TextDetectionRecipe

    @property
    def readers(self) -> Readers[Texts]:
        """See `Task`."""
        from zoohub.tasks.text_detection.readers import TextsReader

        return (TextsReader(),)

    def check_network(self, network: NetworkSpec, training: InputContract | None = None) -> None:
        """See `Task`.

        Raises:
            ZoohubError: the libraries that find texts in maps are not installed.
        """
        for library in ("cv2", "pyclipper", "shapely"):  # said before anything is fetched
            import_extra(library, "ocr", "finding text in pictures")
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
        return page_rows(contract)

    def collate(self, rows: Sequence[Row]) -> dict[str, Array]:
        """Filled up to the largest."""
        return collate_pages(rows)

    def infer(
        self,
        runners: Mapping[str, Runner],
        batch: Arrays,
        contract: InputContract,
        rows: Sequence[Row] = (),
    ) -> dict[str, Array]:
        """Each picture at its own size, or by the parts of a two-stage detector."""
        if is_two_stage(runners):
            search = search_texts if MASKS in runners else search_boxes
            return search(runners, batch["image"])
        (runner,) = runners.values()
        return infer_pages(runner, batch, rows)

    def interpret(
        self,
        form: Form,
        rows: Sequence[Row],
        names: tuple[str, ...] | None,
        options: TextDetectionOptions,
    ) -> list[tuple[TextArea, ...]]:
        """See `Task`; there are no classes."""
        return interpret_texts(form, rows, options)

    def comparable(self, name: str, output: Array) -> tuple[Array, ...]:
        """Probabilities on one scale for all pictures, where there is no text too: ten, so that
        what is compared to 1e-4 of the scale agrees to 1e-3. Where text begins they climb from 0
        to 1 within a few pixels, and rounding with them."""
        scale = np.full(1, _SCALE, output.dtype)
        return (np.append(output, scale),) if name in _SHARES else (output,)

    def draw(self, input: Picture, results: Sequence[TextArea]) -> Image.Image:
        """Each text's outline."""
        from zoohub.tasks.text_detection.drawing import draw_texts

        return draw_texts(input, results)

    def metric(self, classes: tuple[str, ...]) -> Metric:
        """See `Task`."""
        from zoohub.tasks.text_detection.metric import TextDetection

        return TextDetection()

    def measurable(self, samples: TextSamples) -> bool:
        """Whether there are texts to find."""
        return text_count(samples) > 0

    def default_recipe(
        self,
        model: str,
        checkpoint: str | None,
        data: TextsData,
        contract: InputContract,
        count: int,
    ) -> TextDetectionRecipe:
        """See `Task`."""
        from zoohub.tasks.text_detection.recipe import default_recipe

        return default_recipe(model, checkpoint, data, count)

    def training_rows(
        self, samples: TextSamples, contract: InputContract, recipe: TextDetectionRecipe
    ) -> TrainingRows:
        """See `Task`."""
        from zoohub.tasks.text_detection.training_rows import TrainingPages

        return TrainingPages(samples, contract, recipe)

    def evaluates(self, recipe: TextDetectionRecipe, epoch: int) -> bool:
        """See `Task`."""
        return epoch % recipe.evaluate_every == 0

    def loss(self, net: nn.Cell, request: LossRequest) -> tuple[nn.Cell, nn.Cell]:
        """There is none that would fit every detector."""
        raise DataError(_no_loss(type(net).__name__))

    def split_value(self, target: Texts, classes: tuple[str, ...]) -> object:
        """How many texts there are, without those that do not count."""
        return int((~target.ignored).sum())

    def panels(self, finished: Finished[TextDetectionRecipe, Texts]) -> Panels:
        """See `Task`."""
        from zoohub.tasks.text_detection.panels import text_panels

        return text_panels(finished)


_SHARES = ("probability", "scores")  # outputs from 0 to 1
_SCALE = 10.0


def _no_loss(network: str) -> str:
    return (
        f"{network} cannot be trained: its family has no loss; DBNet and DBNet++ have one, such as "
        "dbnet_resnet50"
    )


TASK = TextDetectionTask()
