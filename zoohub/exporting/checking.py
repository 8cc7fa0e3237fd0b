"""An exported file's outputs beside the network's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mindspore import nn

from zoohub.errors import ExportError, ZoohubError
from zoohub.exporting.folding import relative_difference
from zoohub.exporting.nms import as_table
from zoohub.exporting.outputs import split_boxes
from zoohub.exporting.shapes import InputShape, seeded_input
from zoohub.inference.runner import DETECTIONS, Array, CellRunner, open_runner
from zoohub.manifest.entry import InputContract
from zoohub.vision.detection import decoded_prediction, select_detections

TOLERANCE = 1e-4
# float16 keeps 11 bits: 5e-4 for one rounding, more through the layers.
HALF_TOLERANCE = 2e-2


@dataclass(frozen=True, slots=True)
class Difference:
    """How far one output is from the network's for one input.

    `value` is the largest absolute difference over the largest magnitude, boxes and scores of a
    detector each by themselves; inf where shapes or counts differ.
    """

    output: str
    shape: tuple[int, ...]
    value: float


def check_file(
    path: Path,
    reference: nn.Cell,
    names: Sequence[str],
    shape: InputShape,
    contract: InputContract | None,
) -> tuple[Difference, ...]:
    """Run the file and the network on seeded inputs of two shapes and compare all outputs.

    `reference` gives the outputs `names`, in order.

    Raises:
        ExportError: onnx.checker rejects the file, or it cannot be run here.
    """
    if path.suffix == ".onnx":
        _check_onnx(path)
    network = CellRunner(reference, "pynative")
    differences: list[Difference] = []
    try:
        runner = open_runner(path)
        for seed, dims in enumerate(shape.test_shapes()):
            inputs = seeded_input(dims, contract, seed)
            expected, found = network.run(inputs), runner.run(inputs)
            differences += _compare(names, dims, expected, found)
    except ExportError:
        raise
    except ZoohubError as error:
        raise ExportError(f"the export cannot be checked: {error}") from error
    except Exception as error:  # what the other runtime raises when it runs
        raise ExportError(
            f"the exported network cannot be run here: {str(error).strip()[:400]}"
        ) from error
    return tuple(differences)


def check_nms(
    path: Path, predictions: Path, shape: InputShape, contract: InputContract | None
) -> tuple[Difference, ...]:
    """Compare a file's detections with zoohub's own suppression of the same predictions.

    `predictions` is the same model without its NMS, already checked. (Boxes that score at the
    threshold may go either way between two runtimes, so MindSpore's are no measure here.)
    """
    differences = []
    with_nms, without = open_runner(path), open_runner(predictions)
    for seed, dims in enumerate(shape.test_shapes()):
        inputs = seeded_input(dims, contract, seed)
        size = (dims[2], dims[3]) if shape.layout == "NCHW" else (dims[1], dims[2])
        rows = decoded_prediction(without.run(inputs), size)
        expected = as_table([select_detections(r, max_detections=len(r)) for r in rows])
        found = with_nms.run(inputs)[0]
        differences.append(Difference(DETECTIONS, dims, relative_difference(expected, found)))
    return tuple(differences)


def largest(differences: Sequence[Difference]) -> Difference:
    """The worst of several."""
    return max(differences, key=lambda difference: difference.value)


def _compare(
    names: Sequence[str], dims: tuple[int, ...], expected: Sequence[Array], found: Sequence[Array]
) -> list[Difference]:
    if len(expected) != len(found):
        raise ExportError(
            f"the file has {len(found)} outputs where the network has {len(expected)}"
        )
    return [
        Difference(name, dims, relative_difference(part, other))
        for name, left, right in zip(names, expected, found, strict=True)
        for part, other in zip(split_boxes(name, left), split_boxes(name, right), strict=True)
    ]


def _check_onnx(path: Path) -> None:
    import onnx

    try:
        onnx.checker.check_model(str(path), full_check=True)
    except Exception as error:  # ValidationError, InferenceError: no common base
        raise ExportError(f"onnx.checker rejects the file: {str(error).strip()[:400]}") from error
