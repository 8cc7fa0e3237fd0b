"""From MindSpore's compiled graph to an ONNX model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from zoohub.errors import ExportError
from zoohub.exporting.graph import Graph, plain_name
from zoohub.exporting.onnx_builder import OnnxBuilder, Ref, Value, tensor_info
from zoohub.exporting.operators import CONVERTERS, Call

INPUT = "images"


def convert_graph(
    graph: Graph,
    *,
    output_names: Sequence[str],
    axis_names: Mapping[int, str],
    metadata: Mapping[str, str],
    name: str,
) -> Any:
    """An `onnx.ModelProto` that computes what the graph does.

    `axis_names` names the input's open dimensions; an output's open first dimension is the batch.

    Raises:
        ExportError: an operator the conversion lacks; all of them are named.
    """
    missing = sorted({node.op for node in graph.nodes} - CONVERTERS.keys())
    if missing:
        raise ExportError(
            f"the ONNX conversion lacks MindSpore's {', '.join(missing)}; export to mindir "
            "instead, or add them to zoohub/exporting/operators/"
        )
    builder = OnnxBuilder()
    values: dict[str, Value] = dict(graph.constants)
    for proto, array in graph.parameters.items():
        values[proto] = Ref(builder.parameter(plain_name(proto), array), tuple(array.shape))
    if len(graph.inputs) != 1:
        raise ExportError(f"the network takes {len(graph.inputs)} inputs; one is expected")
    source, shape = graph.inputs[0]
    values[source] = Ref(INPUT, shape)
    for node in graph.nodes:
        operands = tuple(values[operand] for operand in node.inputs)
        values[node.name] = CONVERTERS[node.op](Call(builder, node, operands))
    results = list(_flat(values[graph.output]))
    if len(results) != len(output_names):
        raise ExportError(
            f"the network has {len(results)} outputs where {len(output_names)} were expected"
        )
    batch = axis_names.get(0)
    outputs = []
    for result, output in zip(results, output_names, strict=True):
        builder.add("Identity", [result.name], output=output)
        if result.shape is None:
            raise ExportError(f"MindSpore does not tell the rank of the output {output}")
        dims = result.shape
        outputs.append(
            tensor_info(
                output,
                [
                    size if size is not None else batch if i == 0 and batch else f"{output}_{i}"
                    for i, size in enumerate(dims)
                ],
            )
        )
    inputs = [
        tensor_info(
            INPUT, [axis_names[i] if size is None else size for i, size in enumerate(shape)]
        )
    ]
    return builder.model(inputs, outputs, dict(metadata), name)


def _flat(value: Value) -> list[Ref]:
    if isinstance(value, tuple):
        return [ref for item in value for ref in _flat(item)]
    if isinstance(value, Ref):
        return [value]
    raise ExportError(f"an output of the network is no tensor but {type(value).__name__}")
