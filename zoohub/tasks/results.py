"""What a prediction is, whatever the task, and how it reads as JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeAlias, TypeVar

from zoohub.tasks.notebook import MOST_PREDICTIONS, prediction_html, predictions_html

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

Json: TypeAlias = "bool | int | float | str | list[Json] | Mapping[str, Json] | None"
Box = tuple[float, float, float, float]


class Result(Protocol):
    """One row of a prediction: a class, a box, a region."""

    def to_json(self) -> dict[str, Json]:
        """The row as JSON-ready values."""
        ...

    def line(self) -> str:
        """The row on a terminal."""
        ...


class Mask(Protocol):
    """Some of a picture's pixels."""

    def pixels(self) -> NDArray[np.bool_]:
        """(height, width) of the upright picture: whether each is one of them."""
        ...

    def to_json(self) -> dict[str, Json]:
        """COCO's run lengths."""
        ...

    def polygons(self) -> list[list[float]]:
        """COCO's polygons: `[x1, y1, x2, y2, …]` around each connected part, holes filled."""
        ...


R = TypeVar("R", bound=Result, covariant=True)


@dataclass(frozen=True, slots=True)
class Label:
    """One class found in a picture, and for detection where.

    `score` is in 0..1; `box` is `(x1, y1, x2, y2)` in pixels of the upright picture, None for
    classification. `mask` are the object's own pixels, where the network says them, `landmarks`
    the points `(x, y)` that it places: of a face the eyes, the nose, the corners of the mouth.
    """

    label: str
    index: int
    score: float
    box: Box | None = None
    mask: Mask | None = None
    landmarks: tuple[tuple[float, float], ...] | None = None

    def to_json(self) -> dict[str, Json]:
        """The label as JSON-ready values: scores to 6 digits, boxes to a hundredth of a pixel."""
        row: dict[str, Json] = {
            "label": self.label,
            "index": self.index,
            "score": round(self.score, 6),
            "box": None if self.box is None else [round(value, 2) for value in self.box],
        }
        if self.landmarks is not None:
            row["landmarks"] = [[round(x, 2), round(y, 2)] for x, y in self.landmarks]
        if self.mask is None:
            return row
        polygons: list[Json] = [list(polygon) for polygon in self.mask.polygons()]
        return {**row, "mask": self.mask.to_json(), "polygons": polygons}

    def line(self) -> str:
        """Score, name and place."""
        place = ""
        if self.box is not None:
            place = "  at " + ", ".join(f"{value:.0f}" for value in self.box)
        return f"{self.score:6.1%}  {self.label}{place}"


@dataclass(frozen=True, slots=True)
class Prediction(Generic[R]):
    """What was predicted for one input, best first; or the error that kept it from being.

    `saved` is the file the drawing was written to, where one was asked for; `engine` is what
    computed: `mindspore` or `onnxruntime`. `illustrate` draws what was found, where that can be:
    a notebook shows it. `size` is (width, height) of the upright picture, where documents need it.
    """

    input: str
    predictions: tuple[R, ...] = ()
    error: str | None = None
    saved: str | None = None
    engine: str | None = None
    size: tuple[int, int] | None = None
    illustrate: Callable[[], Image.Image | None] | None = field(
        default=None, repr=False, compare=False
    )

    def _repr_html_(self) -> str:
        rows = [row.to_json() for row in self.predictions]
        return prediction_html(self.input, rows, self.error, self.illustrate)

    def to_json(self) -> dict[str, Json]:
        """`{input, engine, predictions}` or `{input, error}`, as the command line prints it."""
        if self.error is not None:
            return {"input": self.input, "error": self.error}
        rows: list[Json] = [row.to_json() for row in self.predictions]
        return {"input": self.input, "engine": self.engine, "predictions": rows}


AnyPrediction: TypeAlias = Prediction[Any]


class Predictions(list[AnyPrediction]):
    """A list of predictions that a notebook shows as pictures and tables."""

    def _repr_html_(self) -> str:
        shown = [prediction._repr_html_() for prediction in self[:MOST_PREDICTIONS]]
        return predictions_html(shown, len(self))


def class_name(index: int, names: tuple[str, ...] | None) -> str:
    """What a class is called."""
    return f"class {index}" if names is None else names[index]
