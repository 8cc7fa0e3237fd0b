"""A finished run as Python has it: `zoohub.finetune` returns one, `load_run` reads one back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mindspore import nn

from zoohub.checkpoint.report import LoadReport
from zoohub.models.provenance import Provenance
from zoohub.models.runs import open_run


@dataclass(frozen=True)
class Run:
    """A finished run: its folder, the trained network in evaluation mode, and its figures.

    Of several machines, the first has them: elsewhere `net` is None and `metrics` is empty.
    """

    path: Path
    net: nn.Cell
    metrics: dict[str, Any]

    def _repr_html_(self) -> str:
        """Its figures as a table; `report.html` in its folder has all of it."""
        from zoohub.core.elements import facts

        figures = {
            name: f"{value:.4g}" if isinstance(value, float) else value
            for name, value in self.metrics.items()
            if isinstance(value, str | int | float)
        }
        return facts({**figures, "report": self.path / "report.html"}, str(self.path))


def load_run(path: str | Path) -> Run:
    """A finished run's network and figures.

    Raises:
        DataError: there is no finished run. CheckpointCorrupt: its files do not fit together.
    """
    from zoohub.networks.loading import create_network

    saved = open_run(path)
    assert saved.checkpoint.network is not None
    net, report = create_network(saved.checkpoint.network, saved.weights)
    net.zoohub = provenance_of(saved.path, report)
    return Run(saved.path, net, dict(saved.metrics))


def provenance_of(path: Path, report: LoadReport | None) -> Provenance:
    """What the network of the finished run in `path` knows of itself."""
    saved = open_run(path)
    return Provenance(
        entry=saved.entry,
        checkpoint=saved.checkpoint,
        input=saved.checkpoint.input,
        classes=saved.classes,
        path=saved.weights,
        report=report,
        network=saved.checkpoint.network,
    )
