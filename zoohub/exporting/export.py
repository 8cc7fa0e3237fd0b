"""`export_network`: a network written in another format, checked before it appears."""

from __future__ import annotations

import errno
import tempfile
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import mindspore as ms
from mindspore import nn

from zoohub.errors import ExportError
from zoohub.exporting.checking import (
    HALF_TOLERANCE,
    TOLERANCE,
    Difference,
    check_file,
    check_nms,
    largest,
)
from zoohub.exporting.folding import Folded, Prepared, prepare_copy
from zoohub.exporting.graph import compile_model, read_graph
from zoohub.exporting.metadata import Metadata, describe, write_user_info
from zoohub.exporting.outputs import choose_outputs
from zoohub.exporting.precision import halve_network, halve_onnx
from zoohub.exporting.request import WEIGHT_FORMATS, Request, plan_export
from zoohub.exporting.shapes import InputShape, plan_shape, seeded_input
from zoohub.exporting.weights import arrays_of, write_weights
from zoohub.manifest.entry import NetworkSpec
from zoohub.networks.torchvision_names import difference_note, to_torchvision
from zoohub.provenance import Provenance
from zoohub.vision.detection import CONFIDENCE

_WITHOUT_NMS = "without_nms.onnx"


@dataclass(frozen=True, slots=True)
class Export:
    """A file that was written.

    `folded` is None where batch norms were left alone; `differences` is empty without `check`;
    `opset` is ONNX's; `size` in bytes; `seconds` of the export, `check_seconds` of the check.
    """

    path: Path
    format: str
    metadata: Metadata
    size: int
    seconds: float
    folded: Folded | None = None
    differences: tuple[Difference, ...] = ()
    opset: int | None = None
    check_seconds: float = 0.0

    @property
    def difference(self) -> Difference | None:
        """The largest difference from the network, None without `check`."""
        return largest(self.differences) if self.differences else None


def export_network(net: nn.Cell, path: str | Path, **options: Any) -> Path:
    """Write a network in another format; see `export_with_report` for the options."""
    return export_with_report(net, path, **options).path


def export_with_report(
    net: nn.Cell,
    path: str | Path,
    *,
    format: str | None = None,
    batch: int = 1,
    size: int | tuple[int, int] | None = None,
    dynamic: Collection[str] = (),
    dtype: str | None = None,
    fold_bn: bool | None = None,
    check: bool = False,
    decode: bool = True,
    nms: bool = False,
    quantize: str | None = None,
    calibrate: str | Path | None = None,
    names: str | None = None,
) -> Export:
    """Write a network as it is in evaluation mode; `net` itself is not changed.

    The file appears whole or not at all, and with `check` only if it computes the same.

    Args:
        net: from `zoohub.load`, or any `nn.Cell` (then give `size`).
        path: the file to write; a suffix is appended if it has none.
        format: `mindir`, `onnx`, `air` (on Ascend), `safetensors`, `pth`, `ckpt`; by default the
            suffix tells.
        batch: inputs at a time; with `batch` in `dynamic`, only what tests begin with.
        size: (height, width) in pixels or one number for both; by default the model's own.
        dynamic: dimensions left open, of `batch`, `height`, `width`.
        dtype: `float16` computes in half precision; inputs and outputs stay float32.
        fold_bn: fold batch norms into the convolutions before them; by default for mindir and
            onnx.
        check: run the file beside the network on seeded inputs of two shapes, and refuse it
            where outputs differ by more than 1e-4 (float16: 2e-2) of their largest value. An INT8
            file is compared but not refused.
        decode: a detector's output `predictions` are decoded boxes (batch, boxes, 5 + classes);
            False gives the raw maps `map_0`, `map_1`, ….
        nms: ONNX: one output `detections` (n, 7): batch index, x1, y1, x2, y2, score, class.
        quantize: ONNX in INT8, `dynamic` or `static`.
        calibrate: for `static`, a folder of pictures such as the network will see.
        names: of parameters in weights files: `torchvision` (the default where torchvision has
            the architecture) or `own`.

    Returns:
        The path and what is known of the file.

    Raises:
        ExportError: the request contradicts itself, MindSpore or the format cannot hold the
            network, a library is missing, the check fails, or the file cannot be written.
    """
    started = time.perf_counter()
    request = plan_export(
        path,
        format=format,
        batch=batch,
        size=size,
        dynamic=dynamic,
        dtype=dtype,
        fold_bn=fold_bn,
        check=check,
        decode=decode,
        nms=nms,
        quantize=quantize,
        calibrate=calibrate,
        names=names,
    )
    provenance: Provenance | None = getattr(net, "zoohub", None)
    with _publishing(request.path) as partial:
        if request.format in WEIGHT_FORMATS:
            export = _write_weights(net, provenance, request, partial)
        else:
            export = _write_graph(net, provenance, request, partial)
        size_in_bytes = partial.stat().st_size
    return replace(
        export,
        path=request.path,
        size=size_in_bytes,
        seconds=time.perf_counter() - started - export.check_seconds,
    )


def _write_weights(
    net: nn.Cell, provenance: Provenance | None, request: Request, partial: Path
) -> Export:
    arrays = arrays_of(net, request.dtype)
    spec = _spec(provenance)
    builder = spec.builder if spec else None
    scheme = "own"
    note = None
    if request.names != "own" and request.format != "ckpt":
        renamed = to_torchvision(builder, arrays)
        if renamed is not None:
            arrays = {renamed[name]: array for name, array in arrays.items()}
            scheme = "torchvision"
            note = difference_note(builder, spec.arguments) if spec else None
        elif request.names == "torchvision":
            raise ExportError(
                f"torchvision has no network with the parameters of {builder or 'this network'}; "
                "export with names='own'"
            )
    metadata = describe(provenance, parameters=scheme, note=note)
    write_weights(partial, arrays, request.format, metadata.to_strings())
    return Export(request.path, request.format, metadata, 0, 0.0)


def _write_graph(
    net: nn.Cell, provenance: Provenance | None, request: Request, partial: Path
) -> Export:
    _check_libraries(request)
    contract = provenance.input if provenance else None
    shape = plan_shape(
        contract,
        channels=_channels(net),
        batch=request.batch,
        size=request.size,
        dynamic=request.dynamic,
    )
    tests = [seeded_input(dims, contract, seed) for seed, dims in enumerate(shape.test_shapes())]
    open_size = bool(shape.dynamic & {"height", "width"})
    prepared = prepare_copy(
        net, tests[0][:1], fold=request.fold_bn, other=tests[1][:1] if open_size else None
    )
    interface = choose_outputs(
        prepared.net,
        provenance.entry.task if provenance else None,
        prepared.outputs,
        decode=request.decode,
    )
    names = ("detections",) if request.nms else interface.names
    metadata = describe(
        provenance,
        outputs=names,
        decoding=interface.decoding,
        confidence=CONFIDENCE if request.nms else None,
    )
    if contract is not None:
        written = replace(contract, size=(shape.height, shape.width), channels=shape.channels)
        metadata = replace(metadata, input=written)
    opset = None
    if request.format == "onnx":
        opset = _write_onnx(interface.net, interface.names, shape, metadata, request, partial)
        if request.quantize is not None:
            _quantize(partial, shape, metadata, request)
    else:
        _write_mindspore(interface.net, shape, metadata, request, partial)
    differences: tuple[Difference, ...] = ()
    checked_from = time.perf_counter()
    if request.check:
        reference = _reference(net, provenance, prepared, request)
        plain = partial.with_name(_WITHOUT_NMS) if request.nms else partial
        differences = check_file(plain, reference, interface.names, shape, contract)
        if request.nms:
            differences += check_nms(partial, plain, shape, contract)
        _judge(largest(differences), request)
    return Export(
        request.path,
        request.format,
        metadata,
        0,
        0.0,
        folded=prepared.folded,
        differences=differences,
        opset=opset,
        check_seconds=time.perf_counter() - checked_from,
    )


def _write_onnx(
    net: nn.Cell,
    names: tuple[str, ...],
    shape: InputShape,
    metadata: Metadata,
    request: Request,
    partial: Path,
) -> int:
    from zoohub.exporting.nms import append_nms
    from zoohub.exporting.onnx_builder import OPSET
    from zoohub.exporting.onnx_writer import convert_graph

    graph = read_graph(compile_model(net, _example(shape)))
    model = convert_graph(
        graph,
        output_names=names,
        axis_names=shape.axes,
        metadata=metadata.to_strings(),
        name=metadata.model or type(net).__name__,
    )
    if request.dtype == "float16":
        halve_onnx(model)
    if request.nms:
        if request.check:
            partial.with_name(_WITHOUT_NMS).write_bytes(model.SerializeToString())
        append_nms(model, layout=shape.layout)
    partial.write_bytes(model.SerializeToString())
    return OPSET


def _quantize(partial: Path, shape: InputShape, metadata: Metadata, request: Request) -> None:
    from onnx import helper, load, save

    from zoohub.exporting.quantizing import quantize_file

    assert request.quantize is not None
    whole = partial.with_name("float32.onnx")
    partial.rename(whole)
    quantize_file(
        whole,
        partial,
        request.quantize,
        shape=shape,
        contract=metadata.input,
        calibrate=request.calibrate,
    )
    model = load(partial)
    helper.set_model_props(model, metadata.to_strings())
    save(model, partial)


def _write_mindspore(
    net: nn.Cell, shape: InputShape, metadata: Metadata, request: Request, partial: Path
) -> None:
    if request.dtype == "float16":
        net = halve_network(net)
    if request.format == "air":
        try:
            ms.export(net, _example(shape), file_name=str(partial), file_format="AIR")
        except Exception as error:  # MindSpore raises whatever its compiler meets
            raise ExportError(f"MindSpore cannot write AIR: {error}") from error
        return
    model = compile_model(net, _example(shape))
    write_user_info(model, metadata.to_strings())
    partial.write_bytes(model.SerializeToString())


def _example(shape: InputShape) -> ms.Tensor:
    if shape.dynamic:
        return ms.Tensor(shape=list(shape.open_shape), dtype=ms.float32)
    return ms.ops.zeros(shape.array_shape(), ms.float32)


def _reference(
    net: nn.Cell, provenance: Provenance | None, prepared: Prepared, request: Request
) -> nn.Cell:
    """The network whose outputs the file should have: unfolded, with the same outputs chosen."""
    twin = prepare_copy(net, None, fold=False).net
    task = provenance.entry.task if provenance else None
    return choose_outputs(twin, task, prepared.outputs, decode=request.decode).net


def _judge(worst: Difference, request: Request) -> None:
    if request.quantize is not None:
        return  # 8 bits lose what they lose; `zoohub eval` states it in accuracy
    allowed = TOLERANCE if request.dtype is None else HALF_TOLERANCE
    if not worst.value <= allowed:
        raise ExportError(
            f"the exported network's {worst.output} differs from MindSpore's by {worst.value:.1e} "
            f"for an input {worst.shape} (relative, at most {allowed:.0e} is allowed), so nothing "
            "was written"
        )


def _check_libraries(request: Request) -> None:
    """That the format can be written here at all, before a minute is spent.

    Raises:
        ExportError: AIR away from Ascend, or onnx or onnxruntime are missing.
    """
    if request.format == "air" and ms.get_context("device_target") != "Ascend":
        raise ExportError(
            "AIR can be written only where MindSpore runs on Ascend (this process runs on "
            f"{ms.get_context('device_target')}): run the same command on an Ascend machine, or "
            "export a mindir here, which MindSpore on Ascend reads too"
        )
    if request.format != "onnx":
        return
    try:
        import onnx  # noqa: F401

        if request.check or request.quantize:
            import onnxruntime  # noqa: F401
    except ImportError as error:
        raise ExportError(
            f"ONNX export needs the packages onnx and onnxruntime ({error}): "
            "pip install 'zoohub[onnx]'"
        ) from error


def _channels(net: nn.Cell) -> int | None:
    """The channels the first convolution takes."""
    for _, cell in net.cells_and_names():
        if isinstance(cell, nn.Conv2d):
            return int(cell.in_channels)
    return None


def _spec(provenance: Provenance | None) -> NetworkSpec | None:
    if provenance is None:
        return None
    checkpoint = provenance.checkpoint
    return (checkpoint.network if checkpoint else None) or provenance.entry.network


@contextmanager
def _publishing(path: Path) -> Iterator[Path]:
    """A file of the same name in a folder beside `path`; moved there when the block succeeds."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".zoohub-") as folder:
            partial = Path(folder) / path.name
            yield partial
            partial.replace(path)
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        reason = "the disk is full" if full else error.strerror or str(error)
        raise ExportError(f"cannot write {path}: {reason}; nothing was left there") from error
