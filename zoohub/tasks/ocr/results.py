"""What reading a page gives: its lines, in reading order."""

from __future__ import annotations

from dataclasses import dataclass

from zoohub.tasks.results import Json


@dataclass(frozen=True, slots=True)
class TextLine:
    """A line of a page. `score` is in 0..1; `polygon` are its corners, (x, y) in pixels of the
    upright picture, clockwise; `turned` says by how many quarter turns clockwise its letters
    stand there: 1 reads downwards."""

    text: str
    score: float
    polygon: tuple[tuple[float, float], ...]
    turned: int = 0

    def to_json(self) -> dict[str, Json]:
        """As JSON-ready values: scores to 6 digits, corners to a hundredth of a pixel."""
        corners: list[Json] = [[round(x, 2), round(y, 2)] for x, y in self.polygon]
        return {"text": self.text, "score": round(self.score, 6), "polygon": corners}

    def line(self) -> str:
        """What it says."""
        return self.text
