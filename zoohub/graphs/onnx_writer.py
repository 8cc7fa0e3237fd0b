"""From MindSpore's compiled graph to an ONNX model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import onnx

from zoohub.core.counting import counted
from zoohub.errors import ExportError
from zoohub.graphs.graph import Graph, plain_name
from zoohub.graphs.inputs import GraphInput
from zoohub.graphs.onnx_builder import ONNX_TYPES, OnnxBuilder, Ref, Value, tensor_info
from zoohub.graphs.walking import Walk, check_operators


def convert_graph(
    graph: Graph,
    *,
    output_names: Sequence[str],
    inputs: Sequence[GraphInput],
    metadata: Mapping[str, str],
    name: str,
) -> onnx.ModelProto:
    """An `onnx.ModelProto` that computes what the graph does.

    `inputs` are those the graph was compiled with, in order; an open first axis of an output has
    the name that it has in the inputs.

    Raises:
        ExportError: an operator the conversion lacks; all of them are named.
    """
    check_operators(graph.nodes)
    builder = OnnxBuilder()
    values: dict[str, Value] = dict(graph.constants)
    for proto, array in graph.parameters.items():
        values[proto] = Ref(
            builder.parameter(plain_name(proto), array), tuple(array.shape), array.dtype.name
        )
    if len(graph.inputs) != len(inputs):
        raise ExportError(
            f"the network's graph takes {counted(len(graph.inputs), 'input')} where "
            f"{counted(len(inputs), 'was', 'were')} expected"
        )
    builder.inputs = [
        tensor_info(
            known.name,
            [known.open.get(i, size) for i, size in enumerate(known.shape)],
            ONNX_TYPES[known.dtype],
        )
        for known in inputs
    ]
    for (source, shape, kind), known in zip(graph.inputs, inputs, strict=True):
        values[source] = Ref(known.name, shape, kind)
    Walk(graph, builder, values).follow(graph.nodes)
    results = list(_flat(values[graph.output], builder))
    if len(results) != len(output_names):
        raise ExportError(
            f"the network has {counted(len(results), 'output')} where "
            f"{counted(len(output_names), 'was', 'were')} expected"
        )
    outputs = _named_outputs(builder, results, output_names, inputs)
    return builder.model(builder.inputs, outputs, dict(metadata), name)


def _named_outputs(
    builder: OnnxBuilder,
    results: Sequence[Ref],
    names: Sequence[str],
    inputs: Sequence[GraphInput],
) -> list[onnx.ValueInfoProto]:
    """The file's outputs, their sizes as MindSpore or ONNX knows them."""
    batch = next((known.open[0] for known in inputs if 0 in known.open), None)
    inferred = builder.infer([result.name for result in results])
    outputs = []
    for result, name in zip(results, names, strict=True):
        builder.add("Identity", [result.name], output=name)
        sizes = inferred.get(result.name, result.shape)
        if sizes is None:
            raise ExportError(f"neither MindSpore nor ONNX tells the rank of the output {name}")
        if result.shape is not None and len(result.shape) == len(sizes):
            both = zip(sizes, result.shape, strict=True)
            sizes = tuple(own if size is None else size for size, own in both)
        shape = [
            size if size is not None else batch if i == 0 and batch else f"{name}_{i}"
            for i, size in enumerate(sizes)
        ]
        outputs.append(tensor_info(name, shape, ONNX_TYPES[result.dtype or "float32"]))
    return outputs


def _flat(value: Value, builder: OnnxBuilder) -> list[Ref]:
    if isinstance(value, tuple):
        return [ref for item in value for ref in _flat(item, builder)]
    if isinstance(value, np.ndarray):
        return [Ref(builder.constant(value), value.shape, value.dtype.name)]
    if isinstance(value, Ref):
        return [value]
    raise ExportError(f"an output of the network is no tensor but {type(value).__name__}")
