"""Networks and ONNX models in half precision; inputs and outputs stay float32."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import mindspore as ms
import numpy as np
from mindspore import Tensor, nn

from zoohub.errors import ExportError
from zoohub.outputs.form import Array

if TYPE_CHECKING:
    from onnx import ModelProto

Outputs: TypeAlias = Any  # a tensor, or tuples of them
_LARGEST = 65504


class HalfInside(nn.Cell):
    """Computes in float16 what it takes and gives in float32."""

    def __init__(self, net: nn.Cell) -> None:
        super().__init__(auto_prefix=False)
        self.net = net

    def construct(self, *inputs: Tensor) -> Outputs:
        """(float32 inputs) -> the network's outputs, in float32."""
        halves: tuple[Any, ...] = ()
        for x in inputs:
            halves = (*halves, x.astype(ms.float16) if x.dtype == ms.float32 else x)
        outputs = self.net(*halves)
        if isinstance(outputs, tuple):
            results: tuple[Any, ...] = ()
            for output in outputs:
                half = output.dtype == ms.float16
                results = (*results, output.astype(ms.float32) if half else output)
            return results
        return outputs.astype(ms.float32)


def check_halvable(parameter: ms.Parameter) -> None:
    """That a parameter has room in float16; whole numbers stay what they are.

    Raises:
        ExportError: it has not; its name and its largest value.
    """
    if parameter.dtype != ms.float32:
        return
    values = parameter.asnumpy()
    largest = float(np.abs(values[np.isfinite(values)]).max(initial=0))
    if largest > _LARGEST:
        raise ExportError(
            f"{parameter.name} has the value {largest:g}, and float16 has room for {_LARGEST} at "
            "most: leave dtype=float16 (--dtype) out, or export the weights alone (.safetensors), "
            "where such a parameter stays as it is"
        )


def _narrowed(values: Array) -> Array:
    """In float16; what it has no room for, such as the score of what is masked, at its end."""
    finite = np.clip(values, -_LARGEST, _LARGEST)
    return np.where(np.isinf(values), values, finite).astype(np.float16)


def halve_network(net: nn.Cell) -> nn.Cell:
    """A copied network with float16 parameters and computation, for MINDIR.

    Batch norms that are left keep float32 parameters, as MindSpore's operator wants them.

    Raises:
        ExportError: as `check_halvable`.
    """
    kept = {
        id(parameter)
        for _, cell in net.cells_and_names()
        if isinstance(cell, nn.BatchNorm2d)
        for parameter in cell.get_parameters()
    }
    for _, cell in net.cells_and_names():
        for name, parameter in list(cell._params.items()):
            if parameter is None or parameter.dtype != ms.float32 or id(parameter) in kept:
                continue
            check_halvable(parameter)
            half = ms.Tensor(_narrowed(parameter.asnumpy()))
            setattr(cell, name, ms.Parameter(half, name=parameter.name))
    wrapped = HalfInside(net)
    wrapped.set_train(False)
    return wrapped


def halve_onnx(model: ModelProto) -> None:
    """Turn an ONNX model's float32 inside into float16, in place.

    The names of inputs and outputs stay with their float32 ends.
    """
    from onnx import TensorProto, helper, numpy_helper

    single, half = TensorProto.FLOAT, TensorProto.FLOAT16
    graph = model.graph
    for tensor in graph.initializer:
        if tensor.data_type == single:
            values = _narrowed(numpy_helper.to_array(tensor))
            tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
    scales = {node.input[2] for node in graph.node if node.op_type == "Resize" and node.input[2]}
    for tensor in graph.initializer:  # Resize takes its scales in float32 only
        if tensor.name in scales:
            values = numpy_helper.to_array(tensor).astype(np.float32)
            tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
    sources, results = (
        [info for info in infos if info.type.tensor_type.elem_type == single]
        for infos in (graph.input, graph.output)
    )
    inside = {info.name: f"{info.name}_half" for info in (*sources, *results)}
    for node in graph.node:
        for names in (node.input, node.output):
            for index, name in enumerate(names):
                names[index] = inside.get(name, name)
        if node.op_type == "Cast" and node.attribute[0].i == single:
            node.attribute[0].i = half
    begin = [
        helper.make_node("Cast", [i.name], [inside[i.name]], name=f"{i.name}_to_half", to=half)
        for i in sources
    ]
    end = [
        helper.make_node("Cast", [inside[o.name]], [o.name], name=f"{o.name}_to_single", to=single)
        for o in results
    ]
    nodes = [*begin, *graph.node, *end]
    del graph.node[:]
    graph.node.extend(nodes)
