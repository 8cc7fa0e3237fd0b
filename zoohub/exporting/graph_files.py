"""A network compiled and written as MINDIR, ONNX or AIR, and run beside the file."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

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
from zoohub.exporting.folding import Prepared, prepare_copy
from zoohub.exporting.graph import compile_model, read_graph
from zoohub.exporting.metadata import Metadata, describe, write_user_info
from zoohub.exporting.outputs import choose_outputs
from zoohub.exporting.precision import halve_network, halve_onnx
from zoohub.exporting.request import Request
from zoohub.exporting.result import Written
from zoohub.exporting.shapes import InputShape, plan_shape, seeded_input
from zoohub.provenance import Provenance
from zoohub.vision.detection import CONFIDENCE

_WITHOUT_NMS = "without_nms.onnx"


def write_graph(
    net: nn.Cell, provenance: Provenance | None, request: Request, partial: Path
) -> Written:
    """Compile a network and write it to `partial`, as `request` says.

    Raises:
        ExportError: the network cannot be written so, or the check fails.
    """
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
    return Written(
        metadata,
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
