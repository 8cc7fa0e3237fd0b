"""Pictures of a line of text, and what it says."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from zoohub.errors import DataError, RecipeError
from zoohub.inputs.picture import Picture
from zoohub.manifest.entry import InputContract, NetworkSpec
from zoohub.networks.families import find_family
from zoohub.outputs import Form
from zoohub.outputs.characters import TextReader
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
from zoohub.tasks.samples import Splits
from zoohub.tasks.text_recognition import SERVES
from zoohub.tasks.text_recognition.dictionary import layout_of, with_characters
from zoohub.tasks.text_recognition.interpret import (
    Reading,
    RecognitionOptions,
    interpret_readings,
    scores_of,
)
from zoohub.tasks.text_recognition.rows import collate_lines, line_rows, run_reader
from zoohub.tasks.text_recognition.stepwise import SEE, STEP, read_stepwise

if TYPE_CHECKING:
    from mindspore import nn

    from zoohub.networks.family import LossRequest
    from zoohub.tasks.text_recognition.labels import Word, Words
    from zoohub.tasks.text_recognition.recipe import LinesData, RecognitionRecipe


class RecognitionTask(Classless, Task["RecognitionRecipe", "Word"]):
    """See `Task`; a sample's target is its text. The network's classes are characters, of which
    the data's are no other's: what is measured is texts."""

    serves = SERVES
    title = "read a line of text in a picture"
    figures = (
        Figure("acc", "word accuracy"),
        Figure("norm_edit_distance", "1-N.E.D."),
        Figure("exact", "exact words"),
    )
    published = ("acc",)
    headline = ("acc", "norm_edit_distance")
    best = ("acc", "norm_edit_distance")
    epoch_figures = ("acc", "norm_edit_distance")
    options = RecognitionOptions
    learns_from = "pictures of words with a text file of labels: a folder with gt.txt, or that file"
    sample = "word"
    expected = "a folder of word pictures with a gt.txt (name, tab, text), or such a file"
    curve: ClassVar[Curve] = {
        "loss": {"training": "loss"},
        "validation": {"words": "validation_acc", "1-N.E.D.": "validation_norm_edit_distance"},
    }
    split_title = "text"

    @property
    def recipe(self) -> type[RecognitionRecipe]:
        """See `Task`."""
        from zoohub.tasks.text_recognition.recipe import RecognitionRecipe

        return RecognitionRecipe

    @property
    def readers(self) -> Readers[Word]:
        """See `Task`."""
        from zoohub.tasks.text_recognition.labels import LinesReader

        return (LinesReader(),)

    def check_network(self, network: NetworkSpec, training: InputContract | None = None) -> None:
        """See `Task`."""
        family = find_family(network.builder)
        if not isinstance(family.read_outputs(), TextReader):
            raise DataError(
                f"how what {network.builder} gives is read as text is not known to zoohub; it can "
                "be loaded (zoohub.load) and called with arrays, and exported (zoohub export)"
            )
        if training is not None and family.loss is None:
            raise RecipeError(
                f"zoohub has no loss for {network.builder}: it trains readers of columns (crnn, "
                "svtr, …) and rare"
            )

    def prepare(
        self, contract: InputContract, options: object = None
    ) -> Callable[[Picture], tuple[Row, ...]]:
        """See `Task`."""
        return line_rows(contract, options.vocab if isinstance(options, self.options) else None)

    def collate(self, rows: Sequence[Row]) -> dict[str, Array]:
        """As wide as the widest."""
        return collate_lines(rows)

    def infer(
        self,
        runners: Mapping[str, Runner],
        batch: Arrays,
        contract: InputContract,
        rows: Sequence[Row] = (),
    ) -> dict[str, Array]:
        """See `Task`; some networks are also told how much of the width the picture covers, and
        some are asked a character at a time."""
        if STEP in runners:
            return read_stepwise(run_reader(runners[SEE], batch, rows), runners[STEP])
        (runner,) = runners.values()
        return run_reader(runner, batch, rows)

    def interpret(
        self,
        form: Form,
        rows: Sequence[Row],
        names: tuple[str, ...] | None,
        options: RecognitionOptions,
    ) -> list[tuple[Reading, ...]]:
        """See `Task`; `names` are the network's classes, its characters and what is beside them."""
        return interpret_readings(form, rows, names)

    def metric(self, classes: tuple[str, ...]) -> Metric:
        """See `Task`."""
        from zoohub.tasks.text_recognition.metric import TextAccuracy

        return TextAccuracy(classes)

    def class_names(
        self, form: Form, found: tuple[str, ...], known: tuple[str, ...] | None = None
    ) -> tuple[str, ...]:
        """The dictionary's characters, with what the network has beside them."""
        scores = scores_of(form)
        classes = scores.probabilities.shape[2]
        if not found:
            raise DataError(
                f"which characters the network's {classes} classes stand for is not known: give "
                "its dictionary, a character a line, as --set data.vocab=FILE"
            )
        return with_characters(layout_of(known, scores.reader), found, classes, "the dictionary")

    def default_recipe(
        self,
        model: str,
        checkpoint: str | None,
        data: LinesData,
        contract: InputContract,
        count: int,
    ) -> RecognitionRecipe:
        """See `Task`."""
        from zoohub.tasks.text_recognition.recipe import default_recipe

        return default_recipe(model, checkpoint, data, count)

    def fitted(
        self,
        recipe: RecognitionRecipe,
        splits: Splits[Word],
        network: NetworkSpec,
        known: tuple[str, ...] | None,
    ) -> Splits[Word]:
        """See `Task`: a dictionary of the data's own makes a head of its own."""
        from zoohub.tasks.text_recognition.fitting import classes_to_learn, fitted_words

        reader = find_family(network.builder).read_outputs()
        assert isinstance(reader, TextReader)  # check_network
        given = recipe.data.vocab is not None
        names = classes_to_learn(splits.classes, known, reader, given=given)
        return fitted_words(splits, names, reader)

    def training_rows(
        self, samples: Words, contract: InputContract, recipe: RecognitionRecipe
    ) -> TrainingRows:
        """See `Task`."""
        from zoohub.tasks.text_recognition.training_rows import TrainingLines

        return TrainingLines(samples, contract, recipe.augment)

    def evaluates(self, recipe: RecognitionRecipe, epoch: int) -> bool:
        """See `Task`."""
        return epoch % recipe.evaluate_every == 0

    def loss(self, net: nn.Cell, request: LossRequest) -> tuple[nn.Cell, nn.Cell]:
        """Each family has its own. Raises RecipeError."""
        raise RecipeError(f"zoohub has no loss for {type(net).__name__}")

    def split_value(self, target: Word, classes: tuple[str, ...]) -> object:
        """The text."""
        return target.text

    def panels(self, finished: Finished[RecognitionRecipe, Word]) -> Panels:
        """See `Task`."""
        from zoohub.tasks.text_recognition.panels import recognition_panels

        return recognition_panels(finished)


TASK = RecognitionTask()
