"""A network compiled and written as ONNX, MINDIR or AIR."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import mindspore as ms
from mindspore import nn

from zoohub.errors import ExportError
from zoohub.graphs.graph import Proto, compile_model, read_graph
from zoohub.graphs.inputs import GraphInput
from zoohub.graphs.metadata import Metadata, write_user_info
from zoohub.graphs.precision import check_halvable, halve_network, halve_onnx

if TYPE_CHECKING:
    from onnx import ModelProto

_ROOM = (1 << 31) - (1 << 24)  # protobuf's 2 GiB, less what the graph itself takes


def onnx_model(
    net: nn.Cell,
    inputs: Sequence[GraphInput],
    outputs: Sequence[str],
    metadata: Metadata,
    *,
    half: bool = False,
) -> ModelProto:
    """The network as an `onnx.ModelProto`, with `half` computing in float16 inside.

    Raises:
        ExportError: the parameters have no room in a file, MindSpore cannot compile it, or the
            conversion lacks an operator; with `half`, as `check_halvable`.
    """
    from zoohub.graphs.onnx_writer import convert_graph

    _check_room(net, half=half)
    for parameter in net.get_parameters() if half else ():
        check_halvable(parameter)
    graph = read_graph(compile_model(net, *(known.example() for known in inputs)))
    model = convert_graph(
        graph,
        output_names=outputs,
        inputs=inputs,
        metadata=metadata.to_strings(),
        name=metadata.model or type(net).__name__,
    )
    if half:
        halve_onnx(model)
    return model


def write_mindir(
    net: nn.Cell,
    inputs: Sequence[GraphInput],
    metadata: Metadata,
    path: Path,
    *,
    half: bool = False,
) -> None:
    """Write the network as MINDIR.

    Raises:
        ExportError: the parameters have no room in a file, or MindSpore cannot compile it; with
            `half`, as `check_halvable`.
    """
    _check_room(net, half=half)
    examples = [known.example() for known in inputs]
    if half:
        model = _compiled_half(net, examples)
    else:
        model = compile_model(net, *examples)
    write_user_info(model, metadata.to_strings())
    path.write_bytes(model.SerializeToString())


def _check_room(net: nn.Cell, *, half: bool) -> None:
    """That a file holds the network's parameters.

    Raises:
        ExportError: it does not.
    """
    single = sum(p.nbytes for p in net.get_parameters() if p.dtype == ms.float32)
    size = sum(p.nbytes for p in net.get_parameters()) - (single // 2 if half else 0)
    if size <= _ROOM:
        return
    cure = "choose the format safetensors"
    if size - single // 2 <= _ROOM and not half:
        cure = "choose dtype=float16 (--dtype), or the format safetensors"
    raise ExportError(
        f"the parameters take {size / 1e9:.1f} GB{' in float16' if half else ''}, and a MINDIR or "
        f"ONNX file holds at most 2 GiB; {cure}"
    )


def _compiled_half(net: nn.Cell, examples: Sequence[ms.Tensor]) -> Proto:
    """The compiled network, in float16; see `write_mindir`."""
    halved = halve_network(net)
    try:
        return compile_model(halved, *examples)
    except ExportError as error:
        raise ExportError(
            "this network does not compile in float16: leave dtype=float16 (--dtype) out, or "
            f"export an onnx, whose operators are converted one by one ({error})"
        ) from error


def write_air(
    net: nn.Cell, inputs: Sequence[GraphInput], path: Path, *, half: bool = False
) -> None:
    """Write the network as AIR, on Ascend.

    Raises:
        ExportError: MindSpore cannot; with `half`, as `check_halvable`.
    """
    net = halve_network(net) if half else net
    examples = [known.example() for known in inputs]
    try:
        ms.export(net, *examples, file_name=str(path), file_format="AIR")
    except Exception as error:  # MindSpore raises whatever its compiler meets
        raise ExportError(f"MindSpore cannot write AIR: {error}") from error
