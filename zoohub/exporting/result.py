"""What an export gives back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from zoohub.exporting.checking import Difference, largest
from zoohub.graphs.folding import Folded
from zoohub.graphs.metadata import Metadata


@dataclass(frozen=True, slots=True)
class Written:
    """What the writer of a file knows of it; the fields are those of `Export`."""

    metadata: Metadata
    folded: Folded | None = None
    differences: tuple[Difference, ...] = ()
    opset: int | None = None
    check_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Export:
    """A file that was written.

    `folded` is None where batch norms were left alone; `differences` is empty without `check`;
    `opset` is ONNX's; `size` in bytes; `seconds` of the export, `check_seconds` of the check.
    """

    path: Path
    format: str
    size: int
    seconds: float
    metadata: Metadata
    folded: Folded | None
    differences: tuple[Difference, ...]
    opset: int | None
    check_seconds: float

    @property
    def difference(self) -> Difference | None:
        """The largest difference from the network, None without `check`."""
        return largest(self.differences) if self.differences else None
