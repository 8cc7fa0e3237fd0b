"""What predicts: a runner with its input contract, task and class names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from zoohub.errors import DataError, UsageError
from zoohub.manifest.entry import InputContract
from zoohub.provenance import Provenance
from zoohub.settings import Settings

if TYPE_CHECKING:
    from zoohub.inference import Prediction, Runner
    from zoohub.inference.runner import Mode

MODES = ("graph", "pynative")


@dataclass(frozen=True)
class Predictor:
    """A network ready to predict: `names` are its classes, None where they are not known.

    `confidence` is the score that a file with its own NMS lets no box below of; else None.
    """

    runner: Runner
    input: InputContract
    task: str
    names: tuple[str, ...] | None
    confidence: float | None = None


def open_predictor(
    model: Any, settings: Settings, *, mode: str | None = None, show_progress: bool = True
) -> Predictor:
    """The predictor of a reference, a run, an exported file, or a network `zoohub.load` made.

    Raises:
        As `zoohub.load`; DataError where the input contract is not known.
    """
    from zoohub.inference import CellRunner

    if mode is not None and mode not in MODES:
        raise UsageError(f"mode {mode!r} is not known; choose graph or pynative")
    if isinstance(model, str | Path) and str(model).lower().endswith((".mindir", ".onnx")):
        return _of_file(Path(model))
    if isinstance(model, str | Path):
        from zoohub.pretrained import load_network

        net = load_network(str(model), settings, pretrained=True, show_progress=show_progress)
    else:
        net = model
    provenance: Provenance | None = getattr(net, "zoohub", None)
    if provenance is None:
        raise UsageError(
            "a model's name or a network that zoohub.load returned is needed: any other network's "
            "input is not known"
        )
    if provenance.input is None:
        raise DataError(
            f"the index does not know how the input of {provenance.entry.model} is made; run the "
            "network from zoohub.load on arrays of your own"
        )
    return Predictor(
        CellRunner(net, cast("Mode | None", mode)),
        provenance.input,
        provenance.entry.task,
        provenance.classes,
    )


def _of_file(path: Path) -> Predictor:
    """The predictor of an exported file, by the description that zoohub wrote into it."""
    from zoohub.exporting import read_metadata
    from zoohub.inference import MapsRunner, open_runner

    runner: Runner = open_runner(path)
    said = read_metadata(path)
    if said.input is None or said.task is None:
        raise DataError(
            f"{path} does not say how its input is made; export it again with `zoohub export`, "
            "which writes that into the file"
        )
    if said.decoding is not None:
        runner = MapsRunner(runner, said.decoding)
    return Predictor(runner, said.input, said.task, said.classes, said.confidence)


def predict_with(
    predictor: Predictor,
    inputs: Any,
    *,
    top: int,
    threshold: float | None,
    batch_size: int,
    save: str | Path | None,
) -> Iterator[Prediction]:
    """Predict each input, in order; see `zoohub.predict`."""
    from zoohub.inference import predict_inputs

    return predict_inputs(
        predictor.runner,
        inputs,
        predictor.input,
        task=predictor.task,
        class_names=predictor.names,
        top=top,
        threshold=threshold,
        batch_size=batch_size,
        save=save,
    )
