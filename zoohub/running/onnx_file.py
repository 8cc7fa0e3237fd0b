"""A runner over an ONNX file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from zoohub.errors import ZoohubError
from zoohub.outputs.reading import DETECTIONS
from zoohub.running.batching import in_batches, plain, whole_table
from zoohub.running.runner import (
    IMAGE,
    IMAGE_IN_FILES,
    Array,
    Inputs,
    Outputs,
    existing,
    in_order,
    row_length,
)
from zoohub.running.sessions import Optimised, open_session


class OnnxRunner:
    """Runs an ONNX file, one's bytes, or an optimised graph with onnxruntime on the CPU.

    `inputs` are the names under which callers give the file's inputs, in its order; by default
    the file's own, `images` apart, which is zoohub's `image`. `threads` compute one batch: None is
    as many as the machine has for us. Batches may be run from several threads at once.

    Raises:
        ZoohubError: onnxruntime is not installed.
        DataError: there is no such file.
        CheckpointCorrupt: onnxruntime cannot read it.
    """

    def __init__(
        self,
        path: str | Path | bytes | Optimised,
        *,
        inputs: Sequence[str] | None = None,
        threads: int | None = None,
    ) -> None:
        try:
            import onnxruntime  # noqa: F401
        except ImportError:
            raise ZoohubError(
                "running an ONNX file needs onnxruntime: pip install 'zoohub[onnx]'"
            ) from None
        self._source = str(existing(path)) if isinstance(path, str | Path) else path
        self._strays: list[Any] = []
        self._threads = threads
        self._open()
        sources = self._session.get_inputs()
        first = sources[0].shape
        self.batch: int | None = first[0] if first and isinstance(first[0], int) else None
        self.length = row_length([source.shape for source in sources])
        self._own = tuple(source.name for source in sources)
        names = (IMAGE,) if self._own == (IMAGE_IN_FILES,) else self._own
        self.inputs = names if inputs is None else tuple(inputs)
        self.outputs = tuple(output.name for output in self._session.get_outputs())

    def run(self, inputs: Inputs) -> Outputs:
        """See `Runner.run`; a table of detections counts the pictures of all `inputs`."""
        arrays = in_order(inputs, self.inputs)
        if self._opened_in != os.getpid():
            # The session's threads are not in a forked child, and closing it would wait for them.
            self._strays.append(self._session)
            self._open()
        if self.outputs == (DETECTIONS,):
            return whole_table(self._once, arrays, self.batch or len(arrays[0]), DETECTIONS)
        return in_batches(self._once, arrays, self.batch)

    def _open(self) -> None:
        self._session: Any = open_session(self._source, self._threads)
        self._opened_in = os.getpid()

    def _once(self, arrays: tuple[Array, ...]) -> Outputs:
        contiguous = [np.ascontiguousarray(array) for array in arrays]
        found = self._session.run(None, dict(zip(self._own, contiguous, strict=True)))
        return {
            name: plain(np.asarray(output))
            for name, output in zip(self.outputs, found, strict=True)
        }
