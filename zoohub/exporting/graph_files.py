"""A network compiled, written as MINDIR, ONNX or AIR, and run beside the file."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path

import mindspore as ms
from mindspore import nn

from zoohub.core.notes import note
from zoohub.core.turns import mindspore_turn
from zoohub.errors import DataError, ExportError
from zoohub.exporting.checking import (
    HALF_TOLERANCE,
    TOLERANCE,
    Difference,
    check_file,
    check_in_file,
    largest,
)
from zoohub.exporting.describing import describe
from zoohub.exporting.request import Request
from zoohub.exporting.result import Written
from zoohub.exporting.sequences import check_sequences
from zoohub.exporting.shapes import (
    InputShape,
    MixedShape,
    Shape,
    exported_contract,
    plan_sequences,
    plan_shape,
)
from zoohub.graphs.choosing import Interface, choose_outputs, cut_network
from zoohub.graphs.folding import Prepared, copy_network, prepare_copy
from zoohub.graphs.metadata import Metadata
from zoohub.graphs.writing import onnx_model, write_air, write_mindir
from zoohub.models.provenance import Provenance
from zoohub.networks.families import find_family, has_family
from zoohub.networks.family import Family
from zoohub.networks.picture_sizes import open_size_problem
from zoohub.outputs.reading import choose_reading
from zoohub.tasks.contract import AnyTask, InFile
from zoohub.tasks.finding import task_for

_SEGMENTS = 4


@dataclass(frozen=True, slots=True)
class _Job:
    """An export on its way: the user's network, its family, its task, the copy that is written.

    `step` is what the file does itself of the task's interpretation.
    """

    net: nn.Cell
    family: Family | None
    task: AnyTask | None
    step: InFile | None
    request: Request
    shape: Shape
    prepared: Prepared
    interface: Interface
    metadata: Metadata


def write_graph(
    net: nn.Cell, provenance: Provenance | None, request: Request, partial: Path
) -> Written:
    """Compile a network and write it to `partial`, as `request` says.

    Raises:
        ExportError: the network cannot be written so, or the check fails.
    """
    check_libraries(request)
    with mindspore_turn():
        job = _prepare(net, provenance, request)
        opset = _write(job, partial)
        checked_from = time.perf_counter()
        differences = _check(job, partial) if request.check else ()
    return Written(
        job.metadata,
        folded=job.prepared.folded,
        differences=differences,
        opset=opset,
        check_seconds=time.perf_counter() - checked_from,
    )


def _prepare(net: nn.Cell, provenance: Provenance | None, request: Request) -> _Job:
    family = _family(provenance)
    shape = _shape(net, provenance, family, request)
    first, second = shape.tests()
    twin = copy_network(net)
    cut = cut_network(twin, family, decode=request.decode)
    open_size = bool(request.dynamic - {"batch"})
    prepared = prepare_copy(
        twin,
        tuple(array[:1] for array in first),
        fold=request.fold_bn,
        other=tuple(array[:1] for array in second) if open_size else None,
    )
    interface = choose_outputs(prepared.net, cut, prepared.outputs)
    task = _task(provenance)
    contract = provenance.input if provenance else None
    step = task.in_file(contract) if task and request.nms else None
    if request.nms and step is None:
        raise ExportError(
            f"NMS needs a detector's decoded predictions; the outputs are {list(interface.names)}"
        )
    metadata = describe(
        provenance,
        outputs=step.outputs if step else interface.names,
        decoding=interface.decoding,
        confidence=step.confidence if step else None,
    )
    if step is not None and step.leaves_out is not None:
        note(step.leaves_out)
    if contract is not None and isinstance(shape, InputShape):
        metadata = replace(metadata, input=exported_contract(contract, shape))
    return _Job(net, family, task, step, request, shape, prepared, interface, metadata)


def _shape(
    net: nn.Cell, provenance: Provenance | None, family: Family | None, request: Request
) -> Shape:
    if family is not None:
        check_sequences(family, request)
    spec = provenance.network if provenance else None
    taken = family.taken_by(spec.arguments) if family is not None and spec is not None else None
    if taken is not None:
        return MixedShape(taken, request.batch, request.length or 1, request.dynamic)
    if family is not None and family.inputs != ("image",):
        return plan_sequences(
            family.inputs,
            vocabulary=_known_to_all_tables(net),
            batch=request.batch,
            length=request.length,
            dynamic=request.dynamic,
        )
    contract = provenance.input if provenance else None
    shape = plan_shape(
        contract,
        channels=None if provenance and provenance.knows_stem else _channels(net),
        batch=request.batch,
        size=request.size,
        dynamic=request.dynamic,
    )
    if family is not None and spec is not None:
        problem = family.size_problem(spec.arguments, (shape.height, shape.width))
        if problem is not None:
            raise ExportError(f"size: {problem}")
        closed = family.sides_of(spec.arguments)
        problem = open_size_problem(family.name, closed, request.dynamic)
        if problem is not None:
            raise ExportError(f"dynamic: {problem}")
    return shape


def _known_to_all_tables(net: nn.Cell) -> int:
    """Token ids below this are in the vocabulary, whose table may be smaller than the positions'.
    Tables of a few rows are of segments, not of tokens."""
    sizes = [c.vocab_size for _, c in net.cells_and_names() if isinstance(c, nn.Embedding)]
    return min((size for size in sizes if size > _SEGMENTS), default=2)


def _write(job: _Job, partial: Path) -> int | None:
    """Write the file; ONNX's opset."""
    request, net, inputs = job.request, job.interface.net, job.shape.inputs
    half = request.dtype == "float16"
    if request.format == "air":
        write_air(net, inputs, partial, half=half)
        return None
    if request.format == "mindir":
        write_mindir(net, inputs, job.metadata, partial, half=half)
        return None
    from zoohub.graphs.onnx_builder import OPSET

    model = onnx_model(net, inputs, job.interface.names, job.metadata, half=half)
    if job.step is not None:
        if request.check:
            _without_step(partial).write_bytes(model.SerializeToString())
        assert isinstance(job.shape, InputShape)
        job.step.append(model, job.shape.layout)
    partial.write_bytes(model.SerializeToString())
    if request.quantize is not None:
        _quantize(job, partial)
    return OPSET


def _without_step(partial: Path) -> Path:
    """Where the file lies that a step is appended to, while it is checked."""
    return partial.with_stem(f"{partial.stem}_without_step")


def _quantize(job: _Job, partial: Path) -> None:
    from onnx import helper, load, save

    from zoohub.exporting.quantizing import quantize_file

    whole = partial.with_stem(f"{partial.stem}_float32")
    partial.rename(whole)
    quantize_file(whole, partial, job.request, shape=job.shape, contract=job.metadata.input)
    model = load(partial)
    helper.set_model_props(model, job.metadata.to_strings())
    save(model, partial)


def _check(job: _Job, partial: Path) -> tuple[Difference, ...]:
    names = job.interface.names
    reference = _reference(job.net, job.family, job.prepared, job.request)
    plain = _without_step(partial) if job.step else partial
    differences = check_file(plain, reference, names, job.shape, job.task)
    if job.step is not None:
        assert isinstance(job.shape, InputShape)
        read = choose_reading(names, own=job.family.read_outputs() if job.family else None)
        differences += check_in_file(partial, plain, read, job.step, job.shape)
    _judge(largest(differences), job.request)
    return differences


def _reference(
    net: nn.Cell, family: Family | None, prepared: Prepared, request: Request
) -> nn.Cell:
    """The network whose outputs the file should have: unfolded, with the same outputs chosen."""
    twin = copy_network(net)
    cut = cut_network(twin, family, decode=request.decode)
    return choose_outputs(twin, cut, prepared.outputs).net


def _task(provenance: Provenance | None) -> AnyTask | None:
    try:
        return task_for(provenance.entry.task, provenance.network) if provenance else None
    except DataError:
        return None  # a network can be exported whose task is not there


def _family(provenance: Provenance | None) -> Family | None:
    spec = provenance.network if provenance else None
    return find_family(spec.builder) if spec and has_family(spec.builder) else None


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


def check_libraries(request: Request) -> None:
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
    """The channels the first convolution takes; a stem may fold pixels into more of them."""
    for _, cell in net.cells_and_names():
        if isinstance(cell, nn.Conv2d):
            return int(cell.in_channels)
    return None
