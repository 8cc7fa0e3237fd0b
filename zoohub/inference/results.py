"""What a prediction is, and how it reads as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Label:
    """One class found in a picture, and for detection where.

    `score` is in 0..1; `box` is `(x1, y1, x2, y2)` in pixels of the upright picture, None for
    classification.
    """

    label: str
    index: int
    score: float
    box: Box | None = None

    def to_json(self) -> dict[str, Any]:
        """The label as JSON-ready values: scores to 6 digits, boxes to a hundredth of a pixel."""
        return {
            "label": self.label,
            "index": self.index,
            "score": round(self.score, 6),
            "box": None if self.box is None else [round(value, 2) for value in self.box],
        }


@dataclass(frozen=True, slots=True)
class Prediction:
    """What was predicted for one input, best first; or the error that kept it from being.

    `saved` is the file the drawing was written to, where one was asked for.
    """

    input: str
    predictions: tuple[Label, ...] = ()
    error: str | None = None
    saved: str | None = None

    def to_json(self) -> dict[str, Any]:
        """`{input, predictions}` or `{input, error}`, as the command line prints it."""
        if self.error is not None:
            return {"input": self.input, "error": self.error}
        return {"input": self.input, "predictions": [label.to_json() for label in self.predictions]}
