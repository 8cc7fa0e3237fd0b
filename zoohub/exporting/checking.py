"""An exported file's outputs beside the network's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mindspore import nn

from zoohub.errors import ExportError, ZoohubError
from zoohub.exporting.shapes import InputShape, Shape
from zoohub.graphs.folding import relative_difference
from zoohub.outputs.form import Read
from zoohub.running import Array, CellRunner, Outputs, open_runner
from zoohub.tasks.contract import AnyTask, InFile

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
    shape: Shape,
    task: AnyTask | None = None,
) -> tuple[Difference, ...]:
    """Run the file and the network on seeded inputs of two shapes and compare all outputs.

    `reference` gives the outputs `names`, in order; `task` says how they are compared.

    Raises:
        ExportError: onnx.checker rejects the file, or it cannot be run here.
    """
    if path.suffix.lower() == ".onnx":
        _check_onnx(path)
    inputs = tuple(known.name for known in shape.inputs)
    network = CellRunner(reference, "pynative", inputs=inputs, outputs=names)
    differences: list[Difference] = []
    try:
        runner = open_runner(path, inputs=inputs, outputs=names)
        for arrays in shape.tests():
            rows = dict(zip(inputs, arrays, strict=True))
            differences += _compare(arrays[0].shape, network.run(rows), runner.run(rows), task)
    except ExportError:
        raise
    except ZoohubError as error:
        raise ExportError(f"the export cannot be checked: {error}") from error
    except Exception as error:  # what the other runtime raises when it runs
        raise ExportError(
            f"the exported network cannot be run here: {str(error).strip()[:400]}"
        ) from error
    return tuple(differences)


def check_in_file(
    path: Path, plain: Path, read: Read, step: InFile, shape: InputShape
) -> tuple[Difference, ...]:
    """Compare a file that takes a step of the task's itself with zoohub's own.

    `plain` is the same model without it, already checked, and `read` knows its outputs. (What is
    at a threshold may go either way between two runtimes, so MindSpore's results are no measure
    here.)
    """
    differences = []
    whole, without = open_runner(path), open_runner(plain)
    for (images,) in shape.tests():
        dims = images.shape
        size = (dims[2], dims[3]) if shape.layout == "NCHW" else (dims[1], dims[2])
        expected = step.expected(read(without.run({without.inputs[0]: images}), size))
        found = whole.run({whole.inputs[0]: images})
        differences += [
            Difference(name, dims, relative_difference(array, found[name]))
            for name, array in expected.items()
        ]
    return tuple(differences)


def largest(differences: Sequence[Difference]) -> Difference:
    """The worst of several."""
    return max(differences, key=lambda difference: difference.value)


def _compare(
    dims: tuple[int, ...], expected: Outputs, found: Outputs, task: AnyTask | None
) -> list[Difference]:
    def parts(name: str, output: Array) -> tuple[Array, ...]:
        return task.comparable(name, output) if task else (output,)

    if list(expected) != list(found):
        raise ExportError(
            f"the file's outputs are {', '.join(found)} where the network's are "
            f"{', '.join(expected)}"
        )
    return [
        Difference(name, dims, relative_difference(part, other))
        for name, left in expected.items()
        for part, other in zip(parts(name, left), parts(name, found[name]), strict=True)
    ]


def _check_onnx(path: Path) -> None:
    import onnx

    try:
        onnx.checker.check_model(str(path), full_check=True)
    except Exception as error:  # ValidationError, InferenceError: no common base
        raise ExportError(f"onnx.checker rejects the file: {str(error).strip()[:400]}") from error
