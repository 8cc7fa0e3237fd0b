"""An ONNX graph under construction, and the values that conversion passes between operators."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import onnx
from onnx import helper, numpy_helper

from zoohub.outputs.form import Array

# 17 has LayerNormalization, and onnxruntime reads it since 1.12 (2022).
OPSET = 17
IR_VERSION = 8
# Bytes of the largest constant whose values shapes may hang on.
_SMALL = 4096
# By NumPy's names.
ONNX_TYPES = {
    "float32": onnx.TensorProto.FLOAT,
    "float16": onnx.TensorProto.FLOAT16,
    "float64": onnx.TensorProto.DOUBLE,
    "int8": onnx.TensorProto.INT8,
    "uint8": onnx.TensorProto.UINT8,
    "int16": onnx.TensorProto.INT16,
    "int32": onnx.TensorProto.INT32,
    "int64": onnx.TensorProto.INT64,
    "bool": onnx.TensorProto.BOOL,
}


@dataclass(frozen=True, slots=True)
class Ref:
    """A tensor in the ONNX graph; None in `shape` is a dimension known only at run time.

    `dtype` is NumPy's name of the element type, None where it is not known.
    """

    name: str
    shape: tuple[int | None, ...] | None
    dtype: str | None = None


@dataclass(frozen=True, slots=True)
class Dim:
    """A whole number known only at run time: an int64 tensor of shape (1,)."""

    name: str


# What an operand can be: a tensor, a run-time number, a Python constant, or a tuple of these.
Value: TypeAlias = Any


class OnnxBuilder:
    """Collects nodes and initialisers, gives them unique names, and shares equal constants."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.initialisers: dict[str, Any] = {}
        self.producers: dict[str, Any] = {}
        self.inputs: list[onnx.ValueInfoProto] = []
        self._constants: dict[tuple[Any, ...], str] = {}
        self._counts: dict[str, int] = {}

    def fresh(self, stem: str) -> str:
        """A name nothing else has."""
        number = self._counts.get(stem, 0)
        self._counts[stem] = number + 1
        return f"{stem}_{number}"

    def add(
        self, op: str, inputs: Sequence[str], *, output: str | None = None, **attributes: Any
    ) -> str:
        """Append a node of one output and return that output's name."""
        name = output or self.fresh(op.lower())
        node = helper.make_node(op, list(inputs), [name], name=name, **attributes)
        self.nodes.append(node)
        self.producers[name] = node
        return name

    def add_split(self, tensor: str, axis: int, sizes: Sequence[int]) -> list[str]:
        """Append a Split into parts of these sizes."""
        names = [self.fresh("split") for _ in sizes]
        node = helper.make_node(
            "Split", [tensor, self.ints(sizes)], names, name=names[0], axis=axis
        )
        self.nodes.append(node)
        return names

    def add_node(
        self, op: str, inputs: Sequence[str], outputs: Sequence[str], **attributes: object
    ) -> None:
        """Append a node of several outputs."""
        self.nodes.append(
            helper.make_node(op, list(inputs), list(outputs), name=outputs[0], **attributes)
        )

    def parameter(self, name: str, array: Array) -> str:
        """A named initialiser."""
        self.initialisers[name] = numpy_helper.from_array(np.ascontiguousarray(array), name)
        return name

    def constant(self, array: Array) -> str:
        """An initialiser for a constant; equal small constants are stored once."""
        array = np.asarray(array)
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._constants:
            name = self.fresh("constant")
            self.initialisers[name] = numpy_helper.from_array(array.copy(), name)
            self._constants[key] = name
        return self._constants[key]

    def ints(self, values: Sequence[int]) -> str:
        """A constant one-dimensional int64 tensor."""
        return self.constant(np.array(list(values), np.int64))

    def shape_vector(self, values: Sequence[Value]) -> str:
        """An int64 vector of known and run-time numbers."""
        if all(isinstance(value, int) for value in values):
            return self.ints(values)
        parts: list[str] = []
        known: list[int] = []
        for value in values:
            if isinstance(value, Dim):
                if known:
                    parts.append(self.ints(known))
                    known = []
                parts.append(value.name)
            else:
                known.append(int(value))
        if known:
            parts.append(self.ints(known))
        return parts[0] if len(parts) == 1 else self.add("Concat", parts, axis=0)

    def infer(self, names: Sequence[str]) -> dict[str, tuple[int | None, ...]]:
        """The shapes of tensors as ONNX works them out, as far as it does.

        Of large initialisers it gets the shapes alone: it takes no more than 2 GiB, and seconds
        for what it does not read.
        """
        outputs = [onnx.ValueInfoProto(name=name) for name in names]
        known, weights = [], []
        for tensor in self.initialisers.values():
            if len(tensor.raw_data) <= _SMALL:
                known.append(tensor)
            else:
                info = helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims)
                weights.append(info)
        graph = helper.make_graph(self.nodes, "so_far", [*self.inputs, *weights], outputs, known)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])
        found = {}
        for info in onnx.shape_inference.infer_shapes(model, data_prop=True).graph.output:
            tensor = info.type.tensor_type
            if tensor.HasField("shape"):
                found[info.name] = tuple(
                    dim.dim_value if dim.HasField("dim_value") else None for dim in tensor.shape.dim
                )
        return found

    def consumers(self, name: str) -> int:
        """How many inputs of nodes so far are this tensor."""
        return sum(list(node.input).count(name) for node in self.nodes)

    def _drop_unused(self, wanted: set[str]) -> None:
        kept = []
        for node in reversed(self.nodes):
            if wanted.intersection(node.output):
                wanted.update(node.input)
                kept.append(node)
        self.nodes = kept[::-1]

    def model(
        self,
        inputs: Sequence[onnx.ValueInfoProto],
        outputs: Sequence[onnx.ValueInfoProto],
        metadata: dict[str, str],
        name: str,
    ) -> onnx.ModelProto:
        """The finished ModelProto; unused nodes and initialisers are left out."""
        self._drop_unused({output.name for output in outputs})
        used = {tensor for node in self.nodes for tensor in node.input}
        graph = helper.make_graph(
            self.nodes,
            name,
            list(inputs),
            list(outputs),
            [tensor for key, tensor in self.initialisers.items() if key in used],
        )
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", OPSET)],
            producer_name="zoohub",
            ir_version=IR_VERSION,
        )
        helper.set_model_props(model, metadata)
        return model


def tensor_info(
    name: str, shape: Sequence[int | str], dtype: int = onnx.TensorProto.FLOAT
) -> onnx.ValueInfoProto:
    """A graph's input or output; a name in `shape` is a dimension known only at run time."""
    return helper.make_tensor_value_info(name, dtype, list(shape))
