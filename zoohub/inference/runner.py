"""One way to run a network, be it a Cell in memory, a MINDIR file or an ONNX file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from zoohub.errors import CheckpointCorrupt, DataError, ZoohubError
from zoohub.framework import limit_onednn, warn_if_too_late
from zoohub.networks.detection.decoding import BoxDecoding
from zoohub.vision.decoding import decode_maps

Mode = Literal["graph", "pynative"]
# The one output of an ONNX file with NMS: a row a box, not a row a picture.
DETECTIONS = "detections"
Array = NDArray[Any]


class Runner(Protocol):
    """Runs a network in evaluation mode on NumPy arrays."""

    def run(self, inputs: Array) -> tuple[Array, ...]:
        """The network's outputs for a batch, in order.

        `inputs` is float32 with the batch as first axis, of any length: a network of fixed batch
        is run as often as needed. Nested outputs are flattened depth first; floats come as
        float32.
        """
        ...


class CellRunner:
    """Runs an `nn.Cell`.

    `mode` is `graph` (compiled at the first batch), `pynative`, or None for the process's own.
    In graph mode a batch shorter than the longest before it is filled up, because every other
    length would be compiled anew. The cell is put into evaluation mode.
    """

    def __init__(self, net: Any, mode: Mode | None = None) -> None:
        self._net = net
        self._mode = mode
        self._longest = 0

    def run(self, inputs: Array) -> tuple[Array, ...]:
        """See `Runner.run`."""
        import mindspore

        warn_if_too_late(limit_onednn())
        self._net.set_train(False)
        before = mindspore.get_context("mode")
        names = {"graph": mindspore.GRAPH_MODE, "pynative": mindspore.PYNATIVE_MODE}
        mode = before if self._mode is None else names[self._mode]
        length = len(inputs)
        if mode == mindspore.GRAPH_MODE:
            length = self._longest = max(self._longest, length)
        if mode == before:
            return _run_tensors(self._net, inputs, length)
        mindspore.set_context(mode=mode)
        try:
            return _run_tensors(self._net, inputs, length)
        finally:
            mindspore.set_context(mode=before)


class MindIRRunner:
    """Runs a MINDIR file.

    Raises:
        DataError: there is no such file.
        CheckpointCorrupt: MindSpore cannot read it.
    """

    def __init__(self, path: str | Path) -> None:
        import mindspore
        from mindspore import nn

        self._path = _existing(path)
        warn_if_too_late(limit_onednn())
        try:
            self.batch = _mindir_batch(self._path)
            self._net = nn.GraphCell(mindspore.load(str(self._path)))
        except Exception as error:  # MindSpore raises RuntimeError, protobuf its own
            raise CheckpointCorrupt(
                f"{self._path} is not a readable MINDIR file: {error}"
            ) from None

    def run(self, inputs: Array) -> tuple[Array, ...]:
        """See `Runner.run`."""
        return _in_batches(lambda part: _run_tensors(self._net, part), inputs, self.batch)


class OnnxRunner:
    """Runs an ONNX file with onnxruntime on the CPU.

    Raises:
        ZoohubError: onnxruntime is not installed.
        DataError: there is no such file.
        CheckpointCorrupt: onnxruntime cannot read it.
    """

    def __init__(self, path: str | Path) -> None:
        try:
            import onnxruntime
        except ImportError:
            raise ZoohubError(
                "running an ONNX file needs onnxruntime: pip install 'zoohub[onnx]'"
            ) from None
        self._path = _existing(path)
        try:
            self._session = onnxruntime.InferenceSession(
                str(self._path), providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime's errors share no base but this
            raise CheckpointCorrupt(f"{self._path} is not a readable ONNX file: {error}") from None
        first = self._session.get_inputs()[0]
        self._input = first.name
        self.batch: int | None = first.shape[0] if isinstance(first.shape[0], int) else None
        names = [output.name for output in self._session.get_outputs()]
        self._is_table = names == [DETECTIONS]

    def run(self, inputs: Array) -> tuple[Array, ...]:
        """See `Runner.run`; a table of detections counts the pictures of all `inputs`."""

        def once(part: Array) -> tuple[Array, ...]:
            outputs = self._session.run(None, {self._input: np.ascontiguousarray(part)})
            return tuple(_plain(np.asarray(output)) for output in outputs)

        if self._is_table:
            return (_whole_table(once, inputs, self.batch or len(inputs)),)
        return _in_batches(once, inputs, self.batch)


class MapsRunner:
    """Decodes what a runner of a detector without decoding gives: raw maps to boxes and scores."""

    def __init__(self, runner: Runner, decoding: BoxDecoding) -> None:
        self._runner = runner
        self._decoding = decoding

    def run(self, inputs: Array) -> tuple[Array, ...]:
        """See `Runner.run`; the one output is what `decode_maps` returns."""
        return (decode_maps(self._runner.run(inputs), self._decoding),)


def open_runner(path: str | Path) -> MindIRRunner | OnnxRunner:
    """The runner for an exported file, by its suffix.

    Raises:
        DataError: the suffix is neither `.mindir` nor `.onnx`, or there is no such file.
        CheckpointCorrupt: the file cannot be read.
        ZoohubError: onnxruntime is needed and not installed.
    """
    suffix = Path(path).suffix.lower()
    if suffix == ".mindir":
        return MindIRRunner(path)
    if suffix == ".onnx":
        return OnnxRunner(path)
    raise DataError(f"{path} cannot be run: expected a .mindir or .onnx file")


def _run_tensors(net: Any, inputs: Array, length: int | None = None) -> tuple[Array, ...]:
    """Run a Cell on one batch, filled up to `length` by repeating its last element."""
    import mindspore

    filled = _fill(inputs, length or len(inputs))
    outputs = net(mindspore.Tensor(np.ascontiguousarray(filled)))
    arrays = tuple(_numpy(output) for output in _flatten(outputs))
    return tuple(_cut(array, len(filled), len(inputs)) for array in arrays)


def _in_batches(run: Any, inputs: Array, batch: int | None) -> tuple[Array, ...]:
    """Run a network of fixed batch on as many elements as there are."""
    if batch is None or len(inputs) == batch:
        outputs: tuple[Array, ...] = run(inputs)
        return outputs
    parts = []
    for start in range(0, len(inputs), batch):
        part = inputs[start : start + batch]
        parts.append(tuple(_cut(a, batch, len(part)) for a in run(_fill(part, batch))))
    return tuple(np.concatenate(column) for column in zip(*parts, strict=True))


def _whole_table(run: Any, inputs: Array, batch: int) -> Array:
    """The detections (n, 7) of all inputs, whose first column is the picture's index."""
    tables = []
    for start in range(0, len(inputs), batch):
        part = inputs[start : start + batch]
        table = run(_fill(part, batch))[0]
        table = table[table[:, 0] < len(part)]  # without the copies that fill the last batch
        table[:, 0] += start
        tables.append(table)
    return np.concatenate(tables)


def _fill(inputs: Array, length: int) -> Array:
    missing = length - len(inputs)
    return np.concatenate([inputs, np.repeat(inputs[-1:], missing, axis=0)]) if missing else inputs


def _cut(output: Array, filled: int, wanted: int) -> Array:
    """The first elements of an output that has the batch as its first axis."""
    return output[:wanted] if output.ndim and len(output) == filled else output


def _flatten(outputs: Any) -> Iterator[Any]:
    if isinstance(outputs, Mapping):
        outputs = tuple(outputs.values())
    if isinstance(outputs, tuple | list):
        for output in outputs:
            yield from _flatten(output)
    else:
        yield outputs


def _numpy(output: Any) -> Array:
    """A tensor (or a plain number, which some networks return besides) as an array."""
    if not hasattr(output, "asnumpy"):
        return np.asarray(output)
    if "BFloat16" in str(output.dtype):  # NumPy has no such type
        output = output.float()
    return _plain(output.asnumpy())


def _plain(array: Array) -> Array:
    return array.astype(np.float32, copy=False) if array.dtype.kind == "f" else array


def _existing(path: str | Path) -> Path:
    path = Path(path)
    if not path.is_file():
        raise DataError(f"{path}: there is no such file")
    return path


def _mindir_batch(path: Path) -> int | None:
    """The batch a MINDIR file was exported for; None where it takes any."""
    from mindspore.train.mind_ir_pb2 import ModelProto

    model = ModelProto()
    model.ParseFromString(path.read_bytes())
    shape = model.graph.input[0].tensor[0].dims
    return int(shape[0]) if len(shape) and shape[0] > 0 else None
