"""The runner for a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from zoohub.errors import DataError
from zoohub.running.mindir import MindIRRunner
from zoohub.running.onnx_file import OnnxRunner


def open_runner(
    path: str | Path,
    *,
    inputs: Sequence[str] | None = None,
    outputs: Sequence[str] | None = None,
) -> MindIRRunner | OnnxRunner:
    """The runner for an exported file, by its suffix.

    `inputs` and `outputs` are their names, in order, as the file's description gives them; by
    default what the file itself calls them. (A MINDIR file keeps none.)

    Raises:
        DataError: the suffix is neither `.mindir` nor `.onnx`, or there is no such file.
        CheckpointCorrupt: the file cannot be read.
        ZoohubError: onnxruntime is needed and not installed.
    """
    suffix = Path(path).suffix.lower()
    if suffix == ".mindir":
        return MindIRRunner(path, inputs=inputs, outputs=outputs)
    if suffix == ".onnx":
        return OnnxRunner(path, inputs=inputs)
    raise DataError(f"{path} cannot be run: expected a .mindir or .onnx file")
